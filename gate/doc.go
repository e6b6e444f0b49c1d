// Package gate checks synthesised cloud assemblies, of this program or of any AWS CDK
// application. It finds mistakes that CloudFormation's schemas, cfn-lint and a deployment to
// an emulator let through: wiring that fails, or stays silent, only when it runs;
// permissions and networks that are wider than their use; secrets in clear text; data that a
// deployment can lose; and limits of AWS.
//
// [Open] reads a folder, [Assembly.Check] applies all [Rules] to it, and a [Report] prints
// the findings. A rule is a row and a function in the file of its subject. It stays silent
// where it cannot decide: a value that only a deployment knows is never a finding. Rules
// need not know of conditions: they see the assembly once for each outcome of its conditions
// (conditions.go), with every Fn::If decided.
//
// Each rule is proven: a test injects faults into a good assembly, testdata/good, and fails
// unless the gate names each fault, on its resource, and nothing else. The package is plain
// Go on JSON: it needs neither Node.js nor AWS.
package gate
