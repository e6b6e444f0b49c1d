package gate

var buildRules = []Rule{}
