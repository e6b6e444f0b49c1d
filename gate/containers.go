package gate

var containers = []Rule{}
