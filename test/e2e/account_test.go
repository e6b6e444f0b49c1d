//go:build e2e

package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// account is what an account of the emulator holds; emulator/observe.py tells it.
type account struct {
	Stacks          map[string]stack
	Resources       map[string][]string // physical ids of what exists, by type
	Snapshots       []string            // of clusters
	TaskDefinitions []taskDefinition
	Services        []struct{ ServiceName, TaskDefinition string }
	Roles           map[string]json.RawMessage // trust policies by name
}

type stack struct {
	Status    string
	Resources map[string]resource // by logical id
}

type resource struct{ Type, ID string }

type taskDefinition struct {
	TaskDefinitionArn, Cpu, Memory, NetworkMode, ExecutionRoleArn, TaskRoleArn string //nolint:revive // as the API names them

	ContainerDefinitions []struct {
		Name, Image string
		Environment []struct{ Name, Value string }
		Secrets     []struct{ Name, ValueFrom string }
	}
}

// emulator is AWS, as far as this machine has it.
type emulator struct{ endpoint string }

func (e emulator) account(t testing.TB, id string) account {
	t.Helper()
	var found account
	e.read(t, "/e2e/accounts/"+id+"?region="+region, &found)
	return found
}

// how tells by what a type of resource was made, and which properties got lost.
type how struct {
	By      string
	Lacking []string
}

func (e emulator) types(t testing.TB) map[string]how {
	t.Helper()
	found := map[string]how{}
	e.read(t, "/e2e/types", &found)
	return found
}

func (e emulator) read(t testing.TB, page string, into any) {
	t.Helper()
	response, err := http.Get(e.endpoint + page)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v: %.2000s", page, response.Status, err, text)
	}
}

// call asks a service that speaks the query protocol.
func (e emulator) call(service string, as credentials, form url.Values) (answer []byte, err error) {
	request, err := http.NewRequest(http.MethodPost, e.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+as["AWS_ACCESS_KEY_ID"]+"/20260101/"+region+
		"/"+service+"/aws4_request, SignedHeaders=host, Signature=e2e")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", form.Get("Action"), response.Status, answer)
	}
	return answer, nil
}

// credentials are environment variables.
type credentials map[string]string

// assume returns the credentials of a role.
func (e emulator) assume(as credentials, role string) (credentials, error) {
	answer, err := e.call("sts", as, url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {role}, "RoleSessionName": {"e2e"},
	})
	if err != nil {
		return nil, err
	}
	var got struct {
		Key    string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	if err := xml.Unmarshal(answer, &got); err != nil {
		return nil, err
	}
	return credentials{
		"AWS_ACCESS_KEY_ID": got.Key, "AWS_SECRET_ACCESS_KEY": got.Secret, "AWS_SESSION_TOKEN": got.Token,
	}, nil
}

// admin returns the credentials of a person who may do everything in an account.
func (e emulator) admin(t testing.TB, account string) credentials {
	t.Helper()
	as, err := e.assume(nil, "arn:aws:iam::"+account+":role/Admin")
	if err != nil {
		t.Fatal(err)
	}
	return as
}

// template is a synthesised template, as far as the tests look at it.
type template struct {
	Resources map[string]struct {
		Type           string
		DeletionPolicy string
		Properties     map[string]any
	}
}

// assembly reads the templates of a cloud assembly by the name of their stack.
func assembly(t testing.TB, dir string) map[string]template {
	t.Helper()
	var manifest struct {
		Artifacts map[string]struct {
			Type       string
			Properties struct{ StackName, TemplateFile string }
		}
	}
	readJSON(t, filepath.Join(dir, "manifest.json"), &manifest)
	templates := map[string]template{}
	for _, artifact := range manifest.Artifacts {
		if artifact.Type == "aws:cloudformation:stack" {
			var tm template
			readJSON(t, filepath.Join(dir, artifact.Properties.TemplateFile), &tm)
			templates[artifact.Properties.StackName] = tm
		}
	}
	if len(templates) == 0 {
		t.Fatalf("%s has no stack", dir)
	}
	return templates
}

func readJSON(t testing.TB, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// complete fails the test unless the stacks hold exactly what their templates
// declare, each with a physical id, and every service of the account runs an active
// task definition. It returns the number of resources.
func complete(t testing.TB, found account, templates map[string]template) (resources int) {
	t.Helper()
	for name, tm := range templates {
		made := found.Stacks[name]
		if !strings.HasSuffix(made.Status, "_COMPLETE") {
			t.Errorf("stack %s is %q", name, made.Status)
		}
		for id, declared := range tm.Resources {
			resources++
			if r := made.Resources[id]; r.ID == "" || r.Type != declared.Type {
				t.Errorf("stack %s: %s (%s) has no physical id: %+v", name, id, declared.Type, r)
			}
		}
		for id := range made.Resources {
			if _, declared := tm.Resources[id]; !declared {
				t.Errorf("stack %s still has %s", name, id)
			}
		}
	}
	for _, service := range found.Services {
		active := func(task taskDefinition) bool { return task.TaskDefinitionArn == service.TaskDefinition }
		if !slices.ContainsFunc(found.TaskDefinitions, active) {
			t.Errorf("service %s runs %s, which is no active task definition", service.ServiceName, service.TaskDefinition)
		}
	}
	return resources
}

// destroyed fails the test unless the stacks are gone, with all that was in them
// but what their templates retain. It returns what was retained, and how many
// resources were looked for where their service lists them.
func destroyed(t testing.TB, before, after account, templates map[string]template) (retained []string, looked int) {
	t.Helper()
	for name, tm := range templates {
		if _, there := after.Stacks[name]; there {
			t.Errorf("stack %s is still there", name)
		}
		for id, r := range before.Stacks[name].Resources {
			ids, listed := after.Resources[r.Type]
			if !listed {
				continue
			}
			looked++
			policy := tm.Resources[id].DeletionPolicy
			switch exists := slices.Contains(ids, r.ID); {
			case exists && policy == "Retain":
				retained = append(retained, r.Type)
			case exists:
				t.Errorf("%s (%s) of stack %s is still there: %s", id, r.Type, name, r.ID)
			case policy == "Retain":
				t.Errorf("%s (%s) of stack %s should have been retained", id, r.Type, name)
			case policy == "Snapshot" && r.Type == "AWS::RDS::DBCluster" && !slices.Contains(after.Snapshots, r.ID):
				t.Errorf("%s (%s) of stack %s left no snapshot", id, r.Type, name)
			}
		}
	}
	slices.Sort(retained)
	return slices.Compact(retained), looked
}
