package xresource

import (
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// newCertificate makes a certificate that is validated by DNS, in the one zone of all
// its names.
func newCertificate(scope constructs.Construct, props *Props) (Resource, error) {
	parameters := props.Model.Parameters.(*kinds.ACMParameters)
	names := parameters.DomainNames
	if len(names) == 0 {
		return props.define(scope)
	}
	zone, err := props.Resolve.Text(parameters.HostedZoneID)
	if err != nil {
		return nil, err
	}
	var validations, others []any
	for i, name := range names {
		validations = append(validations, map[string]any{"DomainName": name, "HostedZoneId": zone})
		if i > 0 {
			others = append(others, name)
		}
	}
	properties := map[string]any{"DomainName": names[0], "ValidationMethod": "DNS", "DomainValidationOptions": validations}
	if len(others) > 0 {
		properties["SubjectAlternativeNames"] = others
	}
	return props.defineWith(scope, properties)
}

// importCertificate needs a look-up only where the file gives tags.
func importCertificate(scope constructs.Construct, props *Props) (Resource, error) {
	target := props.Model.Lookup[""]
	if arn := target.Arn + target.Identifier; arn != "" {
		return &imported{arn: "Arn", values: map[string]cfn.Value{"Arn": cfn.Literal(arn)}}, nil
	}
	found, err := props.find(scope, target, "Id")
	if err != nil {
		return nil, err
	}
	return found.with("Arn", found.values["Id"]), nil
}
