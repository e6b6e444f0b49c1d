package compose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose/load"
)

// A reference that nobody resolves is told; one to a whole resource is its ARN.
func TestReferencesInServices(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yml"), []byte(`services:
  web:
    image: ${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/web:1
    user: x-aws::AWS::Region
    labels: {a: "x-box::b::Arn", plain: x-box}
    healthcheck: {test: "curl ${AWS::Region}"}
    logging: {driver: awslogs, options: {awslogs-group: "/x/${AWS::StackName}"}}
    environment: {BOX: x-box::b, TEXT: "about x-box::b", REGION: "${AWS::Region}"}
x-box: {b: {}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p, found := load.Files(context.Background(), load.Options{Files: []string{"a.yml"}, WorkingDir: dir, ProjectName: "m"})
	if p == nil {
		t.Fatal(found)
	}
	m, found := Resolve(p, []*Schema{boxes})
	var got []string
	for _, d := range found {
		if d.Code == "reference-literal" {
			got = append(got, string(d.Path))
		}
	}
	want := "services.web.user services.web.labels.a services.web.healthcheck.test services.web.logging.options.awslogs-group"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	environment := m.Families[0].Containers[0].Environment
	if ref := environment[0].Value[0].Ref; ref == nil || *ref != (Ref{Key: "x-box", Name: "b"}) {
		t.Errorf("BOX is %v", environment[0].Value)
	}
	if refs := environment[2].Value.Refs(); len(refs) > 0 {
		t.Errorf("TEXT has %v", refs)
	}
}
