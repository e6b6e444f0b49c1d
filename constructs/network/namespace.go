package network

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsservicediscovery"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/guard"
)

// Namespaces are the Cloud Map namespaces of an application by name, with the
// one that Service Connect uses, compose.DefaultNamespace.
type Namespaces struct {
	byName map[string]awsservicediscovery.INamespace
}

// NewNamespaces creates the namespaces of the model as private DNS zones of the
// network, or imports existing ones.
func NewNamespaces(scope constructs.Construct, id string, ms []*compose.Namespace, n *Network) (*Namespaces, error) {
	this := constructs.NewConstruct(scope, &id)
	all := &Namespaces{byName: map[string]awsservicediscovery.INamespace{}}
	for _, m := range ms {
		switch {
		case m.Existing != "":
			all.byName[m.Name] = imported(this, m, m.Existing)
		case m.Lookup:
			found, err := lookupNamespace(this, m)
			if err != nil {
				return nil, err
			}
			all.byName[m.Name] = imported(this, m, found)
		default:
			all.byName[m.Name] = awsservicediscovery.NewPrivateDnsNamespace(this, jsii.String(m.Name),
				&awsservicediscovery.PrivateDnsNamespaceProps{Name: jsii.String(m.Zone), Vpc: n.vpc})
		}
	}
	return all, nil
}

// Namespace returns the namespace by its name in the file.
func (n *Namespaces) Namespace(name string) (awsservicediscovery.INamespace, bool) {
	ns, ok := n.byName[name]
	return ns, ok
}

func imported(this constructs.Construct, m *compose.Namespace, id string) awsservicediscovery.INamespace {
	arn := cfn.Arn(cfn.Literal("servicediscovery"), cfn.Literal("namespace/"+id))
	return awsservicediscovery.PrivateDnsNamespace_FromPrivateDnsNamespaceAttributes(this, jsii.String(m.Name),
		&awsservicediscovery.PrivateDnsNamespaceAttributes{
			NamespaceId: jsii.String(id), NamespaceName: jsii.String(m.Zone), NamespaceArn: arn.Token(),
		})
}

// lookupNamespace asks the CDK's generic Cloud Control look-up for the id of the
// private DNS namespace of a zone.
func lookupNamespace(this constructs.Construct, m *compose.Namespace) (string, error) {
	if !bound(awscdk.Stack_Of(this)) {
		return "", &guard.Error{At: m.Path, Message: fmt.Sprintf(
			"looking up the namespace %s needs the account and the region: run with -c account=… -c region=…, or give its NamespaceId", m.Zone)}
	}
	const dummy = "ns-0000000000000000"
	value := awscdk.ContextProvider_GetValue(this, &awscdk.GetContextValueOptions{
		Provider: jsii.String("cc-api-provider"),
		Props: &map[string]any{
			"typeName":           "AWS::ServiceDiscovery::PrivateDnsNamespace",
			"propertyMatch":      map[string]any{"Name": m.Zone},
			"propertiesToReturn": []string{"Id"},
			"expectedMatchCount": "exactly-one",
		},
		DummyValue: []any{map[string]any{"Id": dummy}},
	}).Value
	found, ok := value.([]any)
	if !ok || len(found) != 1 {
		return "", &guard.Error{At: m.Path, Message: fmt.Sprintf("the look-up of the namespace %s in the CDK context has no single answer", m.Zone)}
	}
	properties, _ := found[0].(map[string]any)
	id, ok := properties["Id"].(string)
	if !ok {
		return "", &guard.Error{At: m.Path, Message: fmt.Sprintf("the look-up of the namespace %s in the CDK context has no Id", m.Zone)}
	}
	return id, nil
}
