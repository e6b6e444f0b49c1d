package gate

import "slices"

// Rules lists all rules, by subject.
var Rules = slices.Concat(wiring, containers, network, iamRules, secretRules, data, limits, buildRules, deliveryRules)
