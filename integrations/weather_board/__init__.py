"""气象信息牌: the outside system of the tutorial pack. It exists only as a simulator."""
