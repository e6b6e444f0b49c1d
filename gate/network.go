package gate

var network = []Rule{}
