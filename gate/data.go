package gate

var data = []Rule{}
