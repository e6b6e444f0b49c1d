package kinds

import (
	"regexp"
	"strings"

	"composecdk/compose"
)

// KMS is x-kms: keys of AWS KMS.
var KMS = &Kind{
	Schema: compose.Schema{
		Key:        "x-kms",
		Type:       keyType,
		Parameters: KMSParameters{},
		Settings:   kmsSettings{},
		Main:       "KeyId",
		Bare:       []string{"Arn"},
		Check:      checkKMS,
	},
	Values:    map[string]string{"KeyId": Ref, "Arn": "Arn"},
	Retention: "Retain",
	Defaults: map[string]any{
		"EnableKeyRotation":   true,
		"PendingWindowInDays": 7,
	},
	Unless: map[string]string{"EnableKeyRotation": "KeySpec"},
	Profiles: map[string]map[string]Profile{"": {
		"EncryptDecrypt":   {{Actions: []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"}}},
		"EncryptOnly":      {{Actions: []string{"kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptTo"}}},
		"DecryptOnly":      {{Actions: []string{"kms:Decrypt", "kms:DescribeKey"}}},
		"SQS":              {{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}}},
		"KMSDecryptPolicy": {{Actions: []string{"kms:Decrypt"}}},
		"KMSEncryptPolicy": {{Actions: []string{"kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"}}},
	}},
}

// KMSParameters are the MacroParameters of a key.
type KMSParameters struct {
	// Alias is a further name of the key: as it is where it starts with alias/,
	// else alias/<project and environment>/<Alias>.
	Alias string
}

// kmsSettings are the Settings of a key: the earlier place of its alias.
type kmsSettings struct{ Alias string }

// aliasName is what KMS takes after "alias/".
// See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
var aliasName = regexp.MustCompile(`^[A-Za-z0-9/_-]{1,200}$`)

var keyARN = regexp.MustCompile(`^arn:[\w-]+:kms:[a-z0-9-]+:\d{12}:key/[\w-]+$`)

// KeyByARN returns the id in the ARN of a key, or "" for any other text.
func KeyByARN(arn string) string {
	if !keyARN.MatchString(arn) {
		return ""
	}
	return arn[strings.LastIndex(arn, "/")+1:]
}

func checkKMS(c *compose.Checker, r *compose.Resource) {
	if r.Mode == compose.Import {
		target := r.Lookup[""]
		if target.Arn != "" && KeyByARN(target.Arn) == "" {
			c.Errorf(target.Path.Key("Arn"), "lookup-arn", "%q is not the ARN of a key", target.Arn)
		}
		if name := target.Name; name != "" && !strings.HasPrefix(name, "alias/") {
			c.Errorf(target.Path.Key("Name"), "lookup-alias", "a key has no name but its aliases, alias/<name>; found %q", name)
		}
		return
	}
	parameters := r.Parameters.(*KMSParameters)
	path := r.Path.Key("MacroParameters").Key("Alias")
	if earlier := r.Settings.(*kmsSettings).Alias; earlier != "" {
		c.Deprecated(r.Path.Key("Settings").Key("Alias"), "Settings.Alias", "MacroParameters.Alias")
		if parameters.Alias == "" {
			parameters.Alias, path = earlier, r.Path.Key("Settings").Key("Alias")
		}
	}
	alias := parameters.Alias
	name := strings.TrimPrefix(alias, "alias/")
	switch {
	case alias == "":
	case strings.HasPrefix(name, "aws/"):
		c.Errorf(path, "alias", "alias/aws/… belongs to AWS: %q cannot be used", alias)
	case !aliasName.MatchString(name):
		c.Errorf(path, "alias", "%q is not an alias: letters, digits, /, _ and - are allowed", alias)
	}
	if policy, ok := r.Properties["KeyPolicy"]; ok {
		document, isMap := policy.(map[string]any)
		if _, list := document["Statement"].([]any); !isMap || !list && document["Statement"] != nil && mapping(document["Statement"]) == nil {
			c.Errorf(r.Path.Key("Properties").Key("KeyPolicy"), "policy", "a key policy is a document with a list of Statement")
		}
	}
}
