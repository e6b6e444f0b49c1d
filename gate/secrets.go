package gate

var secretRules = []Rule{}
