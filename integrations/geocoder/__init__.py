"""地址服务: an outside service that finds addresses, such as the city's 地名地址 service on the government network."""
