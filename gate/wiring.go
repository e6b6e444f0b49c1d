package gate

var wiring = []Rule{}
