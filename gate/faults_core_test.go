package gate

// faults are wiring, containers, limits and builds; securityFaults those of
// permissions, secrets, networks and data.
var faults = []fault{}
