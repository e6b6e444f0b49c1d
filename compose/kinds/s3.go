package kinds

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose"
)

// S3 is x-s3: buckets of Amazon S3.
var S3 = &Kind{
	Schema: compose.Schema{
		Key:        "x-s3",
		Type:       "AWS::S3::Bucket",
		Parameters: S3Parameters{},
		Settings:   s3Settings{},
		Main:       "BucketName",
		Bare:       []string{"Arn"},
		AccessShort: map[string][]compose.Grant{
			"RW":            {{Scope: "bucket", Profile: "ListOnly"}, {Scope: "objects", Profile: "RW"}},
			"RO":            {{Scope: "bucket", Profile: "ListOnly"}, {Scope: "objects", Profile: "ReadOnly"}},
			"ReadOnly":      {{Scope: "bucket", Profile: "ListOnly"}, {Scope: "objects", Profile: "ReadOnly"}},
			"WriteOnly":     {{Scope: "objects", Profile: "WriteOnly"}},
			"CRUD":          {{Scope: "bucket", Profile: "ListOnly"}, {Scope: "objects", Profile: "CRUD"}},
			"S3CrudPolicy":  {{Scope: "bucket", Profile: "ListOnly"}, {Scope: "objects", Profile: "CRUD"}},
			"S3ReadPolicy":  {{Scope: "bucket", Profile: "ListOnly"}, {Scope: "objects", Profile: "ReadOnly"}},
			"S3WritePolicy": {{Scope: "objects", Profile: "WriteOnly"}},
		},
		AccessFlags: []string{secureConnection, "s3-bucket-ssl-requests-only"},
		Check:       checkBucket,
	},
	Values: map[string]string{
		"BucketName": Ref, "Arn": "Arn", "DomainName": "DomainName", "DualStackDomainName": "DualStackDomainName",
		"RegionalDomainName": "RegionalDomainName", "WebsiteURL": "WebsiteURL",
	},
	Retention: "Retain",
	Defaults: map[string]any{
		"BucketEncryption": map[string]any{"ServerSideEncryptionConfiguration": []any{
			map[string]any{"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "AES256"}},
		}},
		"OwnershipControls": map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
		"PublicAccessBlockConfiguration": map[string]any{
			"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
		},
	},
	Keys: []KeyProperty{{
		Path: "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.KMSMasterKeyID", Via: "s3",
	}},
	Source: "arn:${AWS::Partition}:s3:::${BucketName}",
	Deliveries: []Delivery{
		{
			Path: "NotificationConfiguration.QueueConfigurations[].Queue", To: []string{"x-sqs"},
			Service: "s3.amazonaws.com", Actions: []string{"sqs:SendMessage"},
		},
		{
			Path: "LoggingConfiguration.DestinationBucketName", To: []string{"x-s3"},
			Service: "logging.s3.amazonaws.com", Actions: []string{"s3:PutObject"}, Resource: "${ARN}/*",
		},
	},
	Profiles: map[string]map[string]Profile{
		"bucket": {
			"ListOnly":  {{Actions: []string{"s3:GetBucketLocation", "s3:GetBucketPublicAccessBlock", "s3:ListBucket"}}},
			"PowerUser": {{Actions: bucketPower()}},
		},
		"objects": {
			"CRUD":            objects(write, append(tagging(), "s3:DeleteObject", "s3:GetObject", "s3:PutObject")),
			"RW":              objects(write, objectRead(), objectWrite()),
			"StrictRW":        objects(write, []string{"s3:GetObject", "s3:PutObject"}),
			"RWDelete":        objects(write, objectRead(), objectWrite(), []string{"s3:DeleteObject", "s3:DeleteObjectTagging", "s3:DeleteObjectVersion"}),
			"StrictRWDelete":  objects(write, []string{"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}),
			"ReadOnly":        objects(read, objectRead()),
			"StrictReadOnly":  objects(read, []string{"s3:GetObject"}),
			"WriteOnly":       objects(write, objectWrite()),
			"StrictWriteOnly": objects(write, []string{"s3:PutObject"}),
		},
	},
}

// S3Parameters are the MacroParameters of a bucket.
type S3Parameters struct {
	// ExpandAccountIDToBucket and ExpandRegionToBucket put the account and the
	// region behind Properties.BucketName, in this order, after NameSeparator ("-").
	ExpandRegionToBucket    bool
	ExpandAccountIDToBucket bool `key:"ExpandAccountIdToBucket"`
	NameSeparator           *string
	BucketPolicy            struct {
		// PredefinedBucketPolicies are names of policies; there is one,
		// enforceSecureConnection, and every bucket has it.
		PredefinedBucketPolicies []string
		// Policies are statements in which ${ARN} stands for the ARN of the bucket.
		Policies []compose.Fragment
	}
}

// s3Settings are the Settings of a bucket in earlier releases.
type s3Settings struct {
	ExpandRegionToBucket    bool
	ExpandAccountIDToBucket bool `key:"ExpandAccountIdToBucket"`
	NameSeparator           *string
	EnableEncryption        string
	EnableAcceleration      bool
}

// How objects are used, for the actions on the key that encrypts them.
const (
	read  = false
	write = true
)

func objects(writes bool, actions ...[]string) Profile {
	keys := []string{"kms:Decrypt"}
	if writes {
		keys = append(keys, "kms:GenerateDataKey")
	}
	all := slices.Concat(actions...)
	slices.Sort(all)
	return Profile{{Actions: slices.Compact(all), Resources: []string{"${ARN}/*"}, KeyActions: keys}}
}

func objectRead() []string {
	return []string{
		"s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectAttributes", "s3:GetObjectTagging",
		"s3:GetObjectVersion", "s3:GetObjectVersionTagging",
	}
}

func objectWrite() []string {
	return []string{"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject", "s3:PutObjectTagging"}
}

func tagging() []string {
	return []string{
		"s3:AbortMultipartUpload", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging", "s3:GetObjectTagging",
		"s3:GetObjectVersionTagging", "s3:ListMultipartUploadParts", "s3:PutObjectTagging", "s3:PutObjectVersionTagging",
	}
}

func bucketPower() []string {
	return []string{
		"s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLocation", "s3:GetBucketLogging", "s3:GetBucketNotification",
		"s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPolicyStatus",
		"s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetBucketWebsite",
		"s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:ListBucket", "s3:ListBucketMultipartUploads",
		"s3:ListBucketVersions", "s3:PutBucketCORS", "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration",
	}
}

// bucketName is what S3 takes.
// See https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

var bucketARN = regexp.MustCompile(`^arn:[\w-]+:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$`)

// BucketByARN returns the name in the ARN of a bucket, or "" for any other text.
func BucketByARN(arn string) string {
	if m := bucketARN.FindStringSubmatch(arn); m != nil {
		return m[1]
	}
	return ""
}

const secureConnection = "enforceSecureConnection"

func checkBucket(c *compose.Checker, r *compose.Resource) {
	if r.Mode == compose.Import {
		target := r.Lookup[""]
		if target.Arn != "" && BucketByARN(target.Arn) == "" {
			c.Errorf(target.Path.Key("Arn"), "lookup-arn", "%q is not the ARN of a bucket", target.Arn)
		}
		for key, name := range map[string]string{"Identifier": target.Identifier, "Name": target.Name} {
			if name != "" && !bucketName.MatchString(name) {
				c.Errorf(target.Path.Key(key), "lookup-name", "%q is not the name of a bucket", name)
			}
		}
		return
	}
	earlierSettings(c, r)
	nameBucket(c, r)
	ownBucket(c, r)
	checkEncryption(c, r)
	checkNotifications(c, r)
	parameters := r.Parameters.(*S3Parameters)
	path := r.Path.Key("MacroParameters").Key("BucketPolicy")
	for i, name := range parameters.BucketPolicy.PredefinedBucketPolicies {
		if name != secureConnection {
			c.Unknown(path.Key("PredefinedBucketPolicies").Index(i), "bucket-policy", "a predefined bucket policy", name, []string{secureConnection})
		}
	}
	for i, statement := range parameters.BucketPolicy.Policies {
		at := path.Key("Policies").Index(i)
		if effect := statement["Effect"]; effect != "Allow" && effect != "Deny" {
			c.Errorf(at, "policy", "the Effect of a statement is Allow or Deny")
		}
		if statement["Principal"] == nil && statement["NotPrincipal"] == nil {
			c.Warnf(at, "policy-principal", "S3 refuses a statement without a Principal: this one is for this account")
			statement["Principal"] = map[string]any{"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
		}
	}
}

// earlierSettings moves the Settings of earlier releases to their places of today.
func earlierSettings(c *compose.Checker, r *compose.Resource) {
	settings, parameters, path := r.Settings.(*s3Settings), r.Parameters.(*S3Parameters), r.Path.Key("Settings")
	moved := func(set bool, key, current string) bool {
		if set {
			c.Deprecated(path.Key(key), "Settings."+key, current)
		}
		return set
	}
	if moved(settings.ExpandRegionToBucket, "ExpandRegionToBucket", "MacroParameters.ExpandRegionToBucket") {
		parameters.ExpandRegionToBucket = true
	}
	if moved(settings.ExpandAccountIDToBucket, "ExpandAccountIdToBucket", "MacroParameters.ExpandAccountIdToBucket") {
		parameters.ExpandAccountIDToBucket = true
	}
	if moved(settings.NameSeparator != nil, "NameSeparator", "MacroParameters.NameSeparator") && parameters.NameSeparator == nil {
		parameters.NameSeparator = settings.NameSeparator
	}
	if moved(settings.EnableAcceleration, "EnableAcceleration", "Properties.AccelerateConfiguration") && r.Properties["AccelerateConfiguration"] == nil {
		r.Properties["AccelerateConfiguration"] = map[string]any{"AccelerationStatus": "Enabled"}
	}
	if moved(settings.EnableEncryption != "", "EnableEncryption", "Properties.BucketEncryption") && settings.EnableEncryption != "AES256" {
		c.Errorf(path.Key("EnableEncryption"), "bucket-encryption", "every bucket is encrypted with AES256; for a key of your own write Properties.BucketEncryption")
	}
}

// ownBucket lets a bucket have the access control list that the file gives it: by
// default S3 takes none but those that change nothing.
// See https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func ownBucket(c *compose.Checker, r *compose.Resource) {
	list := r.Properties["AccessControl"]
	if list == nil || list == "Private" || list == "BucketOwnerFullControl" || r.Properties["OwnershipControls"] != nil {
		return
	}
	c.Warnf(r.Path.Key("Properties").Key("AccessControl"), "bucket-acl", "access control lists are switched on for this bucket; a policy in MacroParameters.BucketPolicy does without")
	r.Properties["OwnershipControls"] = map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerPreferred"}}}
}

// nameBucket puts the account and the region into the name of a bucket.
func nameBucket(c *compose.Checker, r *compose.Resource) {
	parameters, at := r.Parameters.(*S3Parameters), r.Path.Key("MacroParameters")
	name, named := r.Properties["BucketName"]
	text, literal := name.(string)
	for key, set := range map[string]bool{"ExpandAccountIdToBucket": parameters.ExpandAccountIDToBucket, "ExpandRegionToBucket": parameters.ExpandRegionToBucket} {
		switch {
		case set && !named:
			c.Warnf(at.Key(key), "bucket-name", "%s is not used: it goes with Properties.BucketName; without it CloudFormation gives the bucket a name of its own", key)
		case set && !literal:
			c.Errorf(at.Key(key), "bucket-name", "%s needs a text in Properties.BucketName", key)
		}
	}
	if !literal {
		return
	}
	separator := "-"
	if parameters.NameSeparator != nil {
		separator = *parameters.NameSeparator
	}
	longest := len(text)
	if parameters.ExpandAccountIDToBucket {
		text, longest = text+separator+"${AWS::AccountId}", longest+len(separator)+len("111111111111")
	}
	if parameters.ExpandRegionToBucket {
		text, longest = text+separator+"${AWS::Region}", longest+len(separator)+len("ap-southeast-1")
	}
	path := r.Path.Key("Properties").Key("BucketName")
	if plain := !strings.Contains(name.(string), "${") && !strings.Contains(name.(string), "::"); plain && (!bucketName.MatchString(name.(string)) || longest > 63) {
		c.Errorf(path, "bucket-name", "%q is not the name of a bucket: 3 to 63 lower-case letters, digits, - and . are allowed, account and region included", name)
	}
	r.Properties["BucketName"] = text
}

// checkEncryption reports keys that S3 would not use.
func checkEncryption(c *compose.Checker, r *compose.Resource) {
	for _, p := range Places(r, "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault") {
		settings := mapping(p.Value)
		algorithm := fmt.Sprint(settings["SSEAlgorithm"])
		if name, ok := settings["KMSMasterKeyID"].(string); ok && strings.HasPrefix(name, "aws/") {
			c.Warnf(p.Path.Key("KMSMasterKeyID"), "key-alias", "S3 does not know the key %q; it becomes alias/%s", name, name)
			settings["KMSMasterKeyID"] = "alias/" + name
		}
		if settings["KMSMasterKeyID"] != nil && !strings.HasPrefix(algorithm, "aws:kms") {
			c.Errorf(p.Path.Key("KMSMasterKeyID"), "bucket-encryption", "a key needs SSEAlgorithm aws:kms, found %s", algorithm)
		}
	}
}

// checkNotifications reports targets that S3 cannot notify.
// See https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
func checkNotifications(c *compose.Checker, r *compose.Resource) {
	for _, p := range Places(r, "NotificationConfiguration.QueueConfigurations[]") {
		if configuration := mapping(p.Value); configuration["Queue"] == nil || configuration["Event"] == nil {
			c.Errorf(p.Path, "notification", "a notification needs an Event, such as s3:ObjectCreated:*, and a Queue, x-sqs::<name>")
		}
	}
	for _, p := range Places(r, "NotificationConfiguration.QueueConfigurations[].Queue") {
		ref, _ := reference(p.Value)
		if queue, ok := c.Model.Resource(ref); ok && queue.Key == SQS.Key && isFIFO(queue) {
			c.Errorf(p.Path, "notification-fifo", "S3 cannot notify a FIFO queue, and %s is one", queue.Path)
		}
	}
	if destination, ok := reference(mapping(r.Properties["LoggingConfiguration"])["DestinationBucketName"]); ok && destination.Attribute != "BucketName" {
		c.Errorf(r.Path.Key("Properties").Key("LoggingConfiguration").Key("DestinationBucketName"), "bucket-name",
			"a bucket is named here by its name: x-s3::%s::BucketName", destination.Name)
	}
}
