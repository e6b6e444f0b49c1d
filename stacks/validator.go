package stacks

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Validator has templates validated by the CDK's own engine, as the CDK does by
// itself, but each template only once: what the engine says depends on nothing but
// the template, its target and the version of the library, and is remembered by
// their hash. The engine takes 4 to 11 s to start and half a gigabyte; where all
// templates are known it is not started.
//
// It is no plugin of the CDK: a plugin is called back, and all that it asks the CDK
// for meanwhile piles up on the stack of Node.js, which is too small for a large app.
type Validator struct {
	// dir holds the memory, a file for each template; "" remembers nothing.
	dir     string
	library string
	engine  awscdk.CloudFormationValidatePlugin
}

const library = "github.com/aws/aws-cdk-go/awscdk/v2"

// memory is how long a verdict is kept that nobody asks for.
const memory = 30 * 24 * time.Hour

// NewValidator makes a validator that remembers in a folder, which it creates. An
// empty one, or a program that does not know the version of its CDK library,
// remembers nothing.
func NewValidator(dir string) *Validator {
	v := &Validator{dir: dir}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == library {
				v.library = module.Version
			}
		}
	}
	if v.library == "" {
		v.dir = ""
	}
	return v
}

// Validate validates the templates of an app that has been synthesised into a folder,
// and adds what is found to the report there. The CDK's own engine must be off, or
// all is validated twice. Templates of the stages in except are left out.
func (v *Validator) Validate(app awscdk.App, assembly string, except map[string]bool) error {
	synthesised, acknowledged, err := templatesOf(assembly, except)
	if err != nil {
		return err
	}
	var found []violation
	for _, t := range synthesised {
		verdict, err := v.verdict(app, t)
		if err != nil {
			return err
		}
		for _, violation := range verdict {
			if !acknowledged[engineName+"::"+*violation.RuleName] {
				found = append(found, t.violation(violation))
			}
		}
	}
	return addToReport(filepath.Join(assembly, ReportFile), found)
}

// engineName is the name of the CDK's engine, by which rules are acknowledged.
const engineName = "CloudFormation-Validate"

// verdict returns what the engine has against a template, now or when it was asked.
func (v *Validator) verdict(app awscdk.App, t *synthesised) ([]*awscdk.PolicyViolation, error) {
	file := v.file(t)
	found, known := v.recall(file)
	if !known {
		if v.engine == nil {
			v.engine = awscdk.NewCloudFormationValidatePlugin(nil)
		}
		found = *v.engine.Validate(&oneStack{app, &t.stack}).Violations
		if err := v.remember(file, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// file returns where the verdict about a template is kept, "" for nowhere.
func (v *Validator) file(t *synthesised) string {
	if v.dir == "" {
		return ""
	}
	hash := sha256.New()
	for _, part := range []*string{&v.library, t.stack.AccountId, t.stack.Region} {
		hash.Write(fmt.Appendf(nil, "%q ", *cmp.Or(part, jsii.String(""))))
	}
	hash.Write(t.template)
	return filepath.Join(v.dir, hex.EncodeToString(hash.Sum(nil))+".json")
}

// recall reads a verdict. One that cannot be read is none.
func (v *Validator) recall(file string) (found []*awscdk.PolicyViolation, known bool) {
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &found) != nil {
		return nil, false
	}
	now := time.Now()
	os.Chtimes(file, now, now) //nolint:errcheck // it is forgotten earlier
	return found, true
}

// remember keeps a verdict. A folder that cannot be written keeps none.
func (v *Validator) remember(file string, found []*awscdk.PolicyViolation) error {
	if file == "" || os.MkdirAll(v.dir, 0o700) != nil {
		return nil
	}
	text, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("remember a verdict: %w", err)
	}
	v.forget()
	return replace(file, text)
}

// forget removes what nobody asked for in a long time, as far as it can.
func (v *Validator) forget() {
	files, _ := filepath.Glob(filepath.Join(v.dir, "*"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > memory {
			os.Remove(file) //nolint:errcheck // the next one forgets it
		}
	}
}

// replace writes a file at once: another process reads all of it or none.
func replace(file string, text []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), "*.tmp")
	if err != nil {
		return fmt.Errorf("remember a verdict: %w", err)
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	return err
}

// oneStack is a context with one of the stacks of an app. It is a struct of its own:
// the CDK does not take one that embeds what it made itself.
type oneStack struct {
	app   constructs.IConstruct
	stack *awscdk.PolicyValidationStack
}

var _ awscdk.IPolicyValidationContext = (*oneStack)(nil)

// AppConstruct returns the root.
func (s *oneStack) AppConstruct() constructs.IConstruct { return s.app }

// StackTemplates returns the stack.
func (s *oneStack) StackTemplates() *[]*awscdk.PolicyValidationStack {
	return &[]*awscdk.PolicyValidationStack{s.stack}
}

// TemplatePaths returns its template.
func (s *oneStack) TemplatePaths() *[]*string { return &[]*string{s.stack.TemplatePath} }

// AccountId returns the account of the stack.
func (s *oneStack) AccountId() *string { return s.stack.AccountId } //nolint:revive // the name is the CDK's

// Region returns the region of the stack.
func (s *oneStack) Region() *string { return s.stack.Region }
