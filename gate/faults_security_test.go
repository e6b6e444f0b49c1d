package gate

var securityFaults = []fault{}
