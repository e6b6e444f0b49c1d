package gate

import (
	"testing"
)

// The rules about builds must accept these commands.
func TestBuildCommandsThatAreRight(t *testing.T) {
	for _, right := range []string{
		"set -euo pipefail; docker push x | tee log",
		"aws ecr get-login-password | docker login --username AWS --password-stdin registry",
		`jq '.a | .b' file`,
		`grep "a|b" file || true`,
		"test -f a || echo none",
		"npm ci",
		"npm install -g aws-cdk@2.1148.1 @scope/tool@1.2.3",
		`npm install -g "aws-cdk@$CLI"`,
		"npm install left-pad",
		"pip install --require-hashes -r requirements.txt",
		"pip install black==24.1.0 ./local",
		"go install example.com/tool@v1.2.3",
	} {
		inject := fault{name: right, in: pipeline, inject: command(right)}
		for _, f := range damage(t, good(t), inject).Check() {
			t.Errorf("%s: %s [%s]", right, f.Message, f.Rule)
		}
	}
}
