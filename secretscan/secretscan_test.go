package secretscan

import "testing"

// Secrets must be told from similar names and values: a false alarm stops a deployment.
func TestNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"MYSQL_PASSWORD", "hunter2", "a password"},
		{"MYSQL_PASSWORD", "changeme", "a password"},
		{"RABBITMQ_DEFAULT_PASS", "guest", "a password"},
		{"pgpassword", "x", "a password"},
		{"GITHUB_TOKEN", "abc", "a token"},
		{"ClientSecret", "abc", "a secret"},
		{"DB_CREDS", "root:root", "credentials"},
		{"STRIPE_API_KEY", "k1", "a key"},
		{"SESSION_KEY", "9f8a7b6c5d4e3f2a1b0c", "a random key"},
		{"DB_PASSWORD_VALUE", "hunter2", "a password"},
		{"BASIC_AUTH", "user:hunter2", "credentials"},
		{"RESET_PASSWORD_TEXT", "Choose another", ""},
		{"TOKEN_URL_VALUE", "here", ""},
		{"MYSQL_PASSWORD", "", ""},
		{"MYSQL_RANDOM_ROOT_PASSWORD", "1", ""},
		{"MYSQL_RANDOM_ROOT_PASSWORD", "yes", ""},
		{"MYSQL_PASSWORD_FILE", "/run/secrets/x", ""},
		{"MYSQL_PASSWORD", "/run/secrets/x", ""},
		{"TOKEN_TTL", "3600", ""},
		{"MAX_TOKEN", "4096", ""},
		{"SECRET_NAME", "prod/db", ""},
		{"DB_SECRET", "prod/db", ""},
		{"DB_SECRET", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:db", ""},
		{"PASSWORD_MIN_LENGTH", "12", ""},
		{"KEYCLOAK_URL", "https://id.example.com", ""},
		{"JWT_PUBLIC_KEY", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", ""},
		{"STRIPE_PUBLISHABLE_KEY", "pk_live_51H8x9y7Zq2W3e4R5t6Y", ""},
		{"REPUBLIC_KEY", "9f8a7b6c5d4e3f2a1b0c", "a random key"},
		{"PARTITION_KEY", "customerId", ""},
		{"SORT_KEY", "pk", ""},
		{"", "hunter2", ""},
	} {
		if got := Named(c.name, c.text); got != c.want {
			t.Errorf("%s=%s is %q, want %q", c.name, c.text, got, c.want)
		}
	}
}

// Secrets of a known form must be found.
func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"AKIAIOSFODNN7ABCDEFG":                                           "an AWS access key",
		"AKIAIOSFODNN7EXAMPLE":                                           "",
		"postgres://u:hunter2@db/x":                                      "a password in a URL",
		"postgres://u@db/x":                                              "",
		"postgres://u:${PASSWORD}@db/x":                                  "",
		"Server=db;Password=hunter2":                                     "a password in a connection string",
		"-----BEGIN RSA PRIVATE KEY-----":                                "a private key",
		"-----BEGIN PUBLIC KEY-----":                                     "",
		"Authorization: Basic dXNlcjpodW50ZXIy":                          "",
		"Authorization: Basic dXNlcjpodW50ZXIyMg==":                      "an Authorization header",
		"Basic authentication of all users":                              "",
		"//registry.npmjs.org/:_authToken=a1b2c3":                        "a token of a registry",
		"https://hooks.slack.com/services/T0/B0/a1b2c3d4e5f6a7b8":        "a webhook of Slack",
		"AccountName=a;AccountKey=abcd1234ABCD5678efgh==":                "a key of an Azure account",
		"SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz0123456789": "a key of SendGrid",
		"sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD":               "a key of OpenAI",
		"task-0123456789abcdef0123456789abcdef":                          "",
		"hf_abcdefghijklmnopqrstuvwxyzABCDEFGH":                          "a token of Hugging Face",
		"https://example.com:8080/a@b":                                   "",
		"ghp_0123456789abcdefghijklmnopqr":                               "",
	} {
		if got := Text(text); got != want {
			t.Errorf("%s holds %q, want %q", text, got, want)
		}
	}
}
