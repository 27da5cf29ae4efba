"""用房管理系统: who sits in which room, with the room's telephone."""
