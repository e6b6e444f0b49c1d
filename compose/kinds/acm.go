package kinds

import (
	"regexp"

	"composecdk/compose"
)

// ACM is x-acm: certificates of AWS Certificate Manager.
var ACM = &Kind{
	Schema: compose.Schema{
		Key:        "x-acm",
		Type:       "AWS::CertificateManager::Certificate",
		Parameters: ACMParameters{},
		Main:       "Arn",
		Bare:       []string{"Arn"},
		Check:      checkCertificate,
	},
	Values: map[string]string{"Arn": Ref},
	ARN:    Ref,
	// A certificate holds no data, and is replaced by making another one.
	Retention: "Delete",
}

// ACMParameters are the MacroParameters of a certificate: what a validation by DNS
// needs.
type ACMParameters struct {
	// DomainNames are the names that the certificate is for; the first one is its
	// common name.
	DomainNames []string
	// HostedZoneID is the public zone with all the names: x-route53::<name>, or an id.
	HostedZoneID compose.Text `key:"HostedZoneId"`
}

// domainName is what ACM takes: a name, or a wildcard for one label.
var domainName = regexp.MustCompile(`^(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$`)

// longestCommonName is the limit of the first name.
// See https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
const longestCommonName = 64

var certificateARN = regexp.MustCompile(`^arn:[\w-]+:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+$`)

func checkCertificate(c *compose.Checker, r *compose.Resource) {
	if r.Mode == compose.Import {
		if target := r.Lookup[""]; target.Arn != "" && !certificateARN.MatchString(target.Arn) {
			c.Errorf(target.Path.Key("Arn"), "lookup-arn", "%q is not the ARN of a certificate", target.Arn)
		}
		return
	}
	parameters, path := r.Parameters.(*ACMParameters), r.Path.Key("MacroParameters")
	if len(parameters.DomainNames) == 0 {
		if len(parameters.HostedZoneID) > 0 {
			c.Errorf(path, "domain-names", "a certificate needs DomainNames beside HostedZoneId")
		} else if r.Properties["DomainName"] == nil {
			c.Errorf(r.Path, "domain-names", "a certificate needs MacroParameters {DomainNames, HostedZoneId}, or Properties with a DomainName")
		}
		checkValidation(c, r)
		return
	}
	for i, name := range parameters.DomainNames {
		at := path.Key("DomainNames").Index(i)
		switch {
		case !domainName.MatchString(name):
			c.Errorf(at, "domain-name", "%q is not a name of a certificate, such as www.example.com or *.example.com", name)
		case i == 0 && len(name) > longestCommonName:
			c.Errorf(at, "domain-name", "the first name has at most %d characters, found %d: put a shorter one first", longestCommonName, len(name))
		}
	}
	checkCertificateZone(c, r, parameters)
}

// checkValidation warns of certificates that wait for a person.
func checkValidation(c *compose.Checker, r *compose.Resource) {
	if r.Properties["DomainName"] == nil {
		return
	}
	for _, p := range Places(r, "DomainValidationOptions[].HostedZoneId") {
		checkZoneOf(c, p.Path, compose.ParseText(textOf(p.Value)), nil)
		return
	}
	c.Warnf(r.Path.Key("Properties"), "certificate-waits",
		"nothing validates this certificate: the deployment waits until somebody does; MacroParameters {DomainNames, HostedZoneId} validate it by DNS")
}

func textOf(value any) string {
	text, _ := value.(string)
	return text
}

func checkCertificateZone(c *compose.Checker, r *compose.Resource, parameters *ACMParameters) {
	path := r.Path.Key("MacroParameters").Key("HostedZoneId")
	if len(parameters.HostedZoneID) == 0 {
		c.Errorf(r.Path.Key("MacroParameters"), "zone-missing", "a certificate is validated in a hosted zone: HostedZoneId: x-route53::<name>, or its id")
		return
	}
	checkZoneOf(c, path, parameters.HostedZoneID, parameters.DomainNames)
}

// checkZoneOf checks the zone in which names are validated or served.
func checkZoneOf(c *compose.Checker, path compose.Path, zone compose.Text, names []string) {
	refs := zone.Refs()
	if len(refs) == 0 {
		if text := zone.String(); !IsZoneID(text) && !zone.HasPseudo() {
			c.Errorf(path, "zone-id", "%q is not the id of a hosted zone, such as Z0123456789ABCDEFGHIJ, nor x-route53::<name>", text)
		}
		return
	}
	target, ok := c.Model.Resource(refs[0])
	if !ok {
		return // reported where references are checked
	}
	if target.Key != Route53.Key {
		c.Errorf(path, "zone-kind", "%s is no hosted zone: this takes x-route53::<name>", target.Path)
		return
	}
	if PrivateZone(target) {
		c.Errorf(path, "zone-private", "%s is private: a certificate is validated in a public zone", target.Path)
	}
	for _, name := range names {
		if domain := ZoneName(target); domain != "" && !InZone(name, domain) {
			c.Errorf(path, "zone-other", "%s is not in the hosted zone %s", name, domain)
		}
	}
	if target.Mode == compose.Create {
		c.Warnf(path, "zone-delegation", "%s is made here: the deployment waits until its domain is delegated to its name servers", target.Path)
	}
}
