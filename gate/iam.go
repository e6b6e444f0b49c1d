package gate

var iamRules = []Rule{}
