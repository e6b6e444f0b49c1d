package gate

import "slices"

// Rules are all of them, by subject: one row a rule.
var Rules = slices.Concat(wiring, containers, network, iamRules, secretRules, data, limits, buildRules, deliveryRules)
