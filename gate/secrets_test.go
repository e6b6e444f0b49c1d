package gate

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// containerWith returns a task T of one container with a variable.
func containerWith(name, value string) string {
	return ecsTask(`[{"Name": "a", "Environment": [{"Name": "`+name+`", "Value": `+value+`}]}]`, "")
}

// A secret must be found by its name in any spelling, and nothing else.
func TestNamesOfSecrets(t *testing.T) {
	for name, secret := range map[string]bool{
		"DB_PASSWORD": true, "dbPassword": true, "db-password": true, "Db.Password": true, "PASSWORD": true, "password1": true, "PASSWORD_2": true,
		"MYSQL_ROOT_PASSWD": true, "PGPASSPHRASE": true, "DB_PWD": true, "DB_PASS": true, "dbPass": true, "DB_PW": true,
		"API_KEY": true, "apikey": true, "ApiKey": true, "STRIPE_API_KEY": true, "PRIVATE_KEY": true, "AWS_SECRET_ACCESS_KEY": true, "SECRET_KEY": true, "SIGNING_KEY": true, "ENCRYPTION_KEY": true,
		"SECRET": true, "CLIENT_SECRET": true, "SECRET_KEY_BASE": true, "GITHUB_TOKEN": true, "accessToken": true, "DB_CREDENTIALS": true, "creds": true,
		"PASSWORD_FILE": false, "PASSWORD_MIN_LENGTH": false, "TOKEN_URL": false, "SECRET_NAME": false, "MAX_TOKENS": false, "COMPASS": false, "BYPASS": false,
		"PARTITION_KEY": false, "KEY": false, "MONKEY": false, "TABLE": false, "": false, "_": false, "42": false,
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(found(t, "plain-secret", oneTemplate(t, `{"Resources": {`+containerWith(name, `"hunter2x"`)+`}}`))); (got == 1) != secret {
				t.Errorf("%d findings, secret: %v", got, secret)
			}
		})
	}
}

// Harmless values must not be found under the name of a secret.
func TestValuesOfSecrets(t *testing.T) {
	for _, c := range []struct {
		name, value string
		secret      bool
	}{
		{"DB_PASSWORD", `"hunter2"`, true},
		{"DB_PASSWORD", `"12345"`, true},
		{"DB_PASSWORD", `12345`, true},
		{"DB_PASSWORD", `"password"`, true},
		{"DB_PASSWORD", `""`, false},
		{"DB_PASSWORD", `"true"`, false},
		{"DB_PASSWORD", `true`, false},
		{"DB_PASSWORD", `"No"`, false},
		{"DB_PASSWORD", `"/run/secrets/db-password"`, false},
		{"DB_PASSWORD", `"file:///run/secrets/db"`, false},
		{"DB_PASSWORD", `"./secrets/db"`, false},
		{"DB_PASSWORD", `"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db"`, false},
		{"DB_PASSWORD", `"https://vault.internal/db"`, false},
		{"DB_PASSWORD", `"$DB"`, false},
		{"DB_PASSWORD", `"${DB}"`, false},
		{"DB_PASSWORD", `"<password>"`, false},
		{"DB_PASSWORD", `"two words"`, true},
		{"DB_PASSWORD", `{"Ref": "Given"}`, false},
		{"DB_PASSWORD", `{"Ref": "Silent"}`, true},
		{"ANYTHING", `{"Ref": "Silent"}`, true},
		{"ANYTHING", `{"Ref": "Given"}`, false},
		{"DB_PASSWORD", `{"Fn::GetAtt": ["S", "Arn"]}`, false},
		{"DB_PASSWORD", `["a", "b"]`, false},
		{"TOKEN", `"4096"`, false},
		{"TOKEN", `"15m"`, false},
		{"TOKEN", `"4096x9"`, true},
		{"DB_SECRET", `"shop/db/master"`, false},
		{"DB_SECRET", `"x9 y8"`, true},
		{"CREDENTIALS", `"shop/db"`, false},
		{"CREDENTIALS", `"me:you"`, true},
		{"API_KEY", `"userId"`, false},
		{"API_KEY", `"user_id"`, false},
		{"API_KEY", `"USER_ID"`, false},
		{"API_KEY", `"12"`, false},
		{"API_KEY", `"9f8a7c"`, true},
		{"LICENCE_KEY", `"9f8a7c"`, false},
		{"LICENCE_KEY", `"9f8a7c6b5d4e3f2a1b0c"`, true},
		{"HASH_SALT", `"9f8a7c6b5d4e3f2a"`, true},
		{"HASH_SALT", `"9f8a7c6b5d4e3f2"`, false},
		{"HASH_SALT", `"abababababababab12"`, false},
		{"HASH_SALT", `"abcdefghijklmnopqrstu"`, false},
		{"HASH_SALT", `"9f8a7c6b 5d4e3f2a1b0c"`, false},
		{"IMAGE_DIGEST", `"9f8a7c6b5d4e3f2a1b0c"`, false},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			a := oneTemplate(t, `{"Parameters": {"Given": {"Type": "String"}, "Silent": {"Type": "String", "NoEcho": true}}, "Resources": {`+containerWith(c.name, c.value)+`}}`)
			if got := found(t, "plain-secret", a); (len(got) == 1) != c.secret {
				t.Errorf("found %v, secret: %v", got, c.secret)
			}
		})
	}
}

// A secret recognisable by its form must be found under any name, and nothing similar.
func TestFormsOfSecrets(t *testing.T) {
	long := strings.Repeat("a1B2", 10)
	for value, secret := range map[string]bool{
		"AKIAABCDEFGHIJKLMNOP": true, "ASIAABCDEFGHIJKLMNOP": true, "AKIAABCDEFGHIJKLMNO": false, "XAKIAABCDEFGHIJKLMNOP": false, "AKIAIOSFODNN7EXAMPLE": false,
		"-----BEGIN PRIVATE KEY-----": true, "-----BEGIN EC PRIVATE KEY-----": true, "-----BEGIN PUBLIC KEY-----": false, "-----BEGIN CERTIFICATE-----": false,
		"ghp_" + long[:36]: true, "gho_" + long[:36]: true, "ghp_" + long[:20]: false, "github_pat_" + long: true,
		"glpat-" + long[:20]: true, "glpat-" + long[:10]: false, "npm_" + long[:36]: true, "xoxb-123456789012": true, "xoxb-1": false,
		"AIza" + long[:35]: true, "sk_live_" + long[:24]: true, "sk_test_" + long[:24]: false,
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWl0": true, "eyJhbGciOiJIUzI1NiJ9": false,
		"postgres://shop:hunter2@db/shop": true, "amqp://:hunter2@mq": true, "postgres://shop@db/shop": false, "https://host:8080/@me": false, "postgres://shop:${DB_PASSWORD}@db": false, "https://example.org": false, "redis://host:6379": false,
		"Server=db;Uid=shop;Pwd=hunter2;": true, "jdbc:mysql://db/shop?user=shop&password=hunter2": true, "Server=db;Password=${PASSWORD}": false, "Server=db;Password=": false,
	} {
		t.Run(value, func(t *testing.T) {
			a := oneTemplate(t, `{"Resources": {`+containerWith("ANYTHING", canonicalText(value))+`}}`)
			if got := found(t, "plain-secret", a); (len(got) == 1) != secret {
				t.Errorf("found %v, secret: %v", got, secret)
			}
		})
	}
	joined := containerWith("ANYTHING", `{"Fn::Join": ["", ["postgres://shop:hunter2@", {"Ref": "Host"}, "/shop"]]}`)
	runCases(t, []ruleCase{
		{"in what is joined", "plain-secret", joined, []string{onT}},
		{"a password that a deployment tells", "plain-secret", containerWith("ANYTHING", `{"Fn::Join": ["", ["postgres://shop:", {"Ref": "Given"}, "@db/shop"]]}`), nil},
	})
}

func canonicalText(text string) string {
	return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"`
}

// Every plaintext value must be checked.
func TestPlacesOfSecrets(t *testing.T) {
	project := func(environment, source string) string {
		return `"B": {"Type": "AWS::CodeBuild::Project", "Properties": {"Environment": {"EnvironmentVariables": [` + environment + `]}, "Source": {"BuildSpec": ` + source + `}}}`
	}
	container := func(properties string) string { return ecsTask(`[{"Name": "a", `+properties+`}]`, "") }
	onB := []string{"B"}
	var cases []ruleCase
	for _, c := range []struct {
		name, plain, resolved string
		on                    []string
	}{
		{"variable", container(`"Environment": [{"Name": "PASSWORD", "Value": "hunter2"}]`), container(`"Environment": [{"Name": "X", "Value": "{{resolve:secretsmanager:x}}"}]`), []string{onT}},
		{"label", container(`"DockerLabels": {"a": "b", "password": "hunter2"}`), container(`"DockerLabels": {"a": "{{resolve:ssm-secure:x:1}}"}`), []string{onT}},
		{"log option", container(`"LogConfiguration": {"Options": {"splunk-token": "x9-y8"}}`), container(`"LogConfiguration": {"Options": {"splunk-token": "{{resolve:secretsmanager:x}}"}}`), []string{onT}},
		{"command", container(`"Command": ["run", "redis://:hunter2@db"]`), container(`"Command": "{{resolve:secretsmanager:x}}"`), []string{onT}},
		{"entry point", container(`"EntryPoint": ["run", "redis://:hunter2@db"]`), container(`"EntryPoint": ["{{resolve:secretsmanager:x}}"]`), []string{onT}},
		{"health check", container(`"HealthCheck": {"Command": ["CMD", "http://me:hunter2@localhost"]}`), container(`"HealthCheck": {"Command": ["{{resolve:secretsmanager:x}}"]}`), []string{onT}},
		{"build variable", project(`{"Name": "PASSWORD", "Value": "hunter2"}`, `"x"`), project(`{"Name": "X", "Type": "PLAINTEXT", "Value": "{{resolve:secretsmanager:x}}"}`, `"x"`), onB},
		{"buildspec", project(``, `"redis://:hunter2@db"`), project(``, `"{{resolve:secretsmanager:x}}"`), onB},
		{"function", `"L": {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"PASSWORD": "hunter2"}}}}`, `"L": {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"X": "{{resolve:secretsmanager:x}}"}}}}`, []string{"L"}},
		{"job", `"J": {"Type": "AWS::Batch::JobDefinition", "Properties": {"ContainerProperties": {"Environment": [{"Name": "PASSWORD", "Value": "hunter2"}]}}}`, `"J": {"Type": "AWS::Batch::JobDefinition", "Properties": {"ContainerProperties": {"Environment": [{"Name": "X", "Value": "{{resolve:secretsmanager:x}}"}]}}}`, []string{"J"}},
		{"parameter by its logical id", `"DbPassword": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "hunter2"}}`, `"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": "{{resolve:secretsmanager:x}}"}}`, nil},
	} {
		plainOn, resolvedOn := c.on, c.on
		if c.on == nil {
			plainOn, resolvedOn = []string{"DbPassword"}, onP
		}
		cases = append(cases, ruleCase{c.name, "plain-secret", c.plain, plainOn}, ruleCase{c.name, "resolved-secret", c.resolved, resolvedOn},
			ruleCase{c.name + " in clear text", "resolved-secret", c.plain, nil}, ruleCase{c.name + " that is resolved", "plain-secret", c.resolved, nil})
	}
	runCases(t, append(cases, []ruleCase{
		{"parameter by its name", "plain-secret", `"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/shop/password", "Value": "hunter2"}}`, onP},
		{"the name wins", "plain-secret", `"Password": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/shop/colour", "Value": "blue1"}}`, nil},
		{"build variable of Secrets Manager", "plain-secret", project(`{"Name": "PASSWORD", "Type": "SECRETS_MANAGER", "Value": "shop9 db"}`, `"x"`), nil},
		{"build variable in clear text, said so", "plain-secret", project(`{"Name": "PASSWORD", "Type": "PLAINTEXT", "Value": "hunter2"}`, `"x"`), onB},
		{"another type", "plain-secret", `"X": {"Type": "Custom::Thing", "Properties": {"Environment": {"Variables": {"PASSWORD": "hunter2"}}}}`, []string{"X"}},
		{"a password of a database", "plain-secret", `"X": {"Type": "AWS::DocDB::DBCluster", "Properties": {"MasterUserPassword": "hunter2hunter2"}}`, []string{"X"}},
		{"a password of a database by a parameter", "plain-secret", `"X": {"Type": "AWS::DocDB::DBCluster", "Properties": {"MasterUserPassword": {"Ref": "P"}}}`, nil},
		{"a password of a database from its secret", "plain-secret", `"X": {"Type": "AWS::DocDB::DBCluster", "Properties": {"MasterUserPassword": "{{resolve:secretsmanager:db:SecretString:password}}"}}`, nil},
		{"the text of a secret", "plain-secret", `"X": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "{\"password\": \"hunter2\"}"}}`, []string{"X"}},
		{"the text of a secret that is made of others", "plain-secret", `"X": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "u:{{resolve:secretsmanager:db:SecretString:password}}@h"}}`, nil},
		{"the template of a secret", "plain-secret", `"X": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {"SecretStringTemplate": "{\"username\": \"admin\"}", "GenerateStringKey": "password"}}}`, nil},
		{"a tag", "plain-secret", `"X": {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "db-password", "Value": "hunter2"}]}}`, []string{"X"}},
		{"the token of a request", "plain-secret", `"X": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "abc", "ClientToken": "abc"}}`, nil},
		{"the token of a task of a state machine", "plain-secret", `"X": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": "{\"Token.$\": \"$$.Task.Token\", \"TaskToken\": \"x\"}"}}`, nil},
		{"the variables of a command", "plain-secret", ecsTask(`[{"Command": ["sh", "-c", "DB_PASSWORD=hunter2 exec serve"]}]`, ""), []string{onT}},
		{"the variables of a command, read", "plain-secret", ecsTask(`[{"Command": ["sh", "-c", "DB_PASSWORD=$(read-it) TOKEN=\"$T\" exec serve --password-file=/run/x --secret id=a,src=b"]}]`, ""), nil},
		{"an option of a command", "plain-secret", ecsTask(`[{"Command": ["serve", "--db-password", "hunter2"]}]`, ""), []string{onT}},
		{"an option of a command that is read", "plain-secret", ecsTask(`[{"EntryPoint": ["serve", "--password", "$PASSWORD", "--token-file", "x"]}]`, ""), nil},
		{"fields of a variable", "plain-secret", ecsTask(`[{"Environment": [{"Name": "CONFIG", "Value": "{\"db\": {\"password\": \"hunter2\"}}"}]}]`, ""), []string{onT}},
		{"the data of an instance", "plain-secret", `"X": {"Type": "AWS::EC2::Instance", "Properties": {"UserData": {"Fn::Base64": {"Fn::Sub": "export DB_PASSWORD=hunter2 ${AWS::Region}"}}}}`, []string{"X"}},
		{"a plain variable of a buildspec", "plain-secret", `"X": {"Type": "AWS::CodeBuild::Project", "Properties": {"Source": {"BuildSpec": "version: 0.2\nenv:\n  variables:\n    DB_PASSWORD: hunter2\n"}}}`, []string{"X"}},
		{"a secret of a buildspec", "plain-secret", `"X": {"Type": "AWS::CodeBuild::Project", "Properties": {"Source": {"BuildSpec": "version: 0.2\nenv:\n  secrets-manager:\n    DB_PASSWORD: db:password\n"}}}`, nil},
		{"the login of a database", "resolved-secret", `"D": {"Type": "AWS::RDS::DBCluster", "Properties": {"MasterUserPassword": "{{resolve:secretsmanager:x}}"}}`, nil},
		{"a public parameter", "resolved-secret", container(`"Environment": [{"Name": "X", "Value": "{{resolve:ssm:/x}}"}]`), nil},
	}...))
}

func TestSecretsOfTheTemplate(t *testing.T) {
	for _, c := range []struct {
		rule, template, message string
	}{
		{"plain-secret", `"Outputs": {"AdminPassword": {"Value": "hunter2"}}`, ": output AdminPassword has the literal text of a password: put it in Secrets Manager"},
		{"plain-secret", `"Outputs": {"AdminPassword": {"Value": {"Ref": "R"}}}`, ""},
		{"plain-secret", `"Outputs": {"Url": {"Value": "redis://:hunter2@db"}}`, ": output Url holds a password in a URL: put it in Secrets Manager"},
		{"plain-secret", `"Parameters": {"AdminPassword": {"Type": "String", "Default": "hunter2"}}`, ": the default of parameter AdminPassword has the literal text of a password: put it in Secrets Manager"},
		{"plain-secret", `"Parameters": {"AdminPassword": {"Type": "String"}}`, ""},
		{"plain-secret", `"Parameters": {"P": {"Type": "String", "NoEcho": "true"}}, "Outputs": {"X": {"Value": {"Ref": "P"}}}`, ": output X shows parameter P, which is NoEcho: put it in Secrets Manager"},
		{"resolved-secret", `"Outputs": {"X": {"Value": "{{resolve:secretsmanager:x}}"}}`, ": output X reads a secret into clear text: output its ARN"},
		{"resolved-secret", `"Outputs": {"X": {"Value": "x"}}`, ""},
	} {
		got := strings.Join(found(t, c.rule, oneTemplate(t, `{"Resources": {"R": {"Type": "Custom::R"}}, `+c.template+`}`)), "\n")
		if got != c.message {
			t.Errorf("%s: got %q, want %q", c.template, got, c.message)
		}
	}
}

func TestValueFrom(t *testing.T) {
	const others = `, "S": {"Type": "AWS::SecretsManager::Secret"}, "M": {"Type": "AWS::SSM::Parameter"}, "Q": {"Type": "AWS::SQS::Queue"}, "D": {"Type": "AWS::RDS::DBCluster"}, "C": {"Type": "Custom::Secret"}`
	for value, right := range map[string]bool{
		`"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-AbCdEf"`:                               true,
		`"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db:key::"`:                                true,
		`"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db:key:stage:version"`:                    true,
		`"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db:key"`:                                  false,
		`"arn:aws:secretsmanager:eu-west-1:111111111111:secret:"`:                                        false,
		`"arn:aws:secretsmanager:eu-west-1:111111111111:db"`:                                             false,
		`"arn:aws:ssm:eu-west-1:111111111111:parameter/shop/db"`:                                         true,
		`"arn:aws:ssm:eu-west-1:111111111111:document/x"`:                                                false,
		`"arn:aws:s3:::bucket/key"`:                                                                      false,
		`{"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:db"}`: true,
		`{"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:q"}`:                    false,
		`{"Fn::Join": ["", ["arn:aws:ssm:r:111111111111:parameter", {"Ref": "M"}]]}`:                     true,

		// names of parameters, and texts that are none
		`"/shop/db"`:                         true,
		`"db_password"`:                      true,
		`"garbage, not an ARN"`:              false,
		`""`:                                 false,
		`{"Fn::Sub": "/shop/${Env}/db"}`:     true,
		`{"Fn::Sub": "/shop/${Env}/the db"}`: false,
		`{"Ref": "S"}`:                       true,
		`{"Fn::GetAtt": ["S", "Id"]}`:        true,
		`{"Fn::GetAtt": ["S", "Name"]}`:      false,

		// fields of secrets
		`{"Fn::Join": ["", [{"Ref": "S"}, ":key::"]]}`:        true,
		`{"Fn::Join": ["", [{"Ref": "S"}, "-??????"]]}`:       true,
		`{"Fn::Join": ["", [{"Ref": "S"}, ":key"]]}`:          false,
		`{"Fn::Join": ["", [{"Ref": "Q"}, ":key::"]]}`:        false,
		`{"Fn::Sub": "${S}:key::"}`:                           true,
		`{"Fn::Sub": "${S}:key"}`:                             false,
		`{"Fn::Sub": "${Q}:key::"}`:                           false,
		`{"Ref": "M"}`:                                        true,
		`{"Ref": "Q"}`:                                        false,
		`{"Fn::GetAtt": ["D", "MasterUserSecret.SecretArn"]}`: true,
		`{"Fn::GetAtt": ["D", "Endpoint.Address"]}`:           false,
		`{"Fn::GetAtt": ["C", "Anything"]}`:                   true,
		`{"Ref": "Given"}`:                                    true,
		`{"Fn::ImportValue": "db-secret"}`:                    true,
	} {
		t.Run(value, func(t *testing.T) {
			on := []string{onT}
			if right {
				on = nil
			}
			runCases(t, []ruleCase{
				{"secret", "value-from", ecsTask(`[{"Name": "a", "Secrets": [{"Name": "X", "ValueFrom": `+value+`}]}]`, "") + others, on},
				{"log", "value-from", ecsTask(`[{"Name": "a", "LogConfiguration": {"SecretOptions": [{"Name": "X", "ValueFrom": `+value+`}]}}]`, "") + others, on},
			})
		})
	}
}

func TestSidecars(t *testing.T) {
	task := func(image, more, secret string) string {
		return ecsTask(`[{"Name": "a", "Image": "`+image+`"`+more+`, "Secrets": [{"Name": "`+secret+`", "ValueFrom": "/x"}]}]`, "")
	}
	runCases(t, []ruleCase{
		{"the daemon of X-Ray", "sidecar-secret", task("public.ecr.aws/xray/aws-xray-daemon:3.x", "", "TOKEN"), []string{onT}},
		{"without a tag", "sidecar-secret", task("amazon/aws-for-fluent-bit", "", "TOKEN"), []string{onT}},
		{"by digest", "sidecar-secret", task("amazon/cloudwatch-agent@sha256:00", "", "TOKEN"), []string{onT}},
		{"a log router", "sidecar-secret", task("mine", `, "FirelensConfiguration": {"Type": "fluentbit"}`, "TOKEN"), []string{onT}},
		{"the application", "sidecar-secret", task("mine/aws-xray-daemon-viewer:1", "", "TOKEN"), nil},
		{"its configuration", "sidecar-secret", task("amazon/cloudwatch-agent", "", "CW_CONFIG_CONTENT"), nil},
		{"no secret", "sidecar-secret", ecsTask(`[{"Name": "a", "Image": "amazon/cloudwatch-agent"}]`, ""), nil},
	})
}

func TestExecLogging(t *testing.T) {
	service := func(exec, logging string) string {
		return `"S": {"Type": "AWS::ECS::Service", "Properties": {"Cluster": {"Ref": "C"}, "EnableExecuteCommand": ` + exec + `}},
			"C": {"Type": "AWS::ECS::Cluster", "Properties": {"Configuration": {"ExecuteCommandConfiguration": {` + logging + `}}}}`
	}
	runCases(t, []ruleCase{
		{"not logged", "exec-unlogged", service(`true`, `"Logging": "NONE"`), []string{onS}},
		{"not logged, but not used", "exec-unlogged", service(`false`, `"Logging": "NONE"`), nil},
		{"logged by default", "exec-unlogged", service(`true`, `"Logging": "DEFAULT"`), nil},
		{"logged to nowhere", "exec-unlogged", service(`true`, `"Logging": "OVERRIDE"`), []string{onS}},
		{"logged to a group", "exec-unlogged", service(`true`, `"Logging": "OVERRIDE", "LogConfiguration": {"CloudWatchLogGroupName": "g"}`), nil},
		{"a cluster that is not here", "exec-unlogged", `"S": {"Type": "AWS::ECS::Service", "Properties": {"Cluster": "shared", "EnableExecuteCommand": true}}`, nil},
	})
}

// A build argument stays in the history of an image.
func TestArgumentsOfBuilds(t *testing.T) {
	a := mustRead(t, fstest.MapFS{
		"manifest.json": {Data: []byte(`{"artifacts": {
			"S": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.template.json"}},
			"S.assets": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}}}}`)},
		"S.template.json": {Data: []byte(`{"Resources": {}}`)},
		"S.assets.json": {Data: []byte(`{"dockerImages": {"a1b2": {"displayName": "shop/web", "source": {
			"dockerBuildArgs": {"VERSION": "1", "DB_PASSWORD": "hunter2", "WITH": "AKIAIOSFODNN7ABCDEFG"}, "dockerBuildSecrets": {"token": "type=env,id=TOKEN"}}}}}`)},
	})
	var got []string
	for _, f := range a.Check() {
		got = append(got, f.File+" "+f.Construct+": "+f.Message)
	}
	want := []string{
		"S.assets.json shop/web: build argument DB_PASSWORD is a password, which stays in the image: give it as a secret of the build",
		"S.assets.json shop/web: build argument WITH is an AWS access key, which stays in the image: give it as a secret of the build",
	}
	if !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
}
