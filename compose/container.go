package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// container reads what a service says about its container.
func (r *resolver) container(f *Family, s types.ServiceConfig) *Container {
	path := servicePath(s.Name)
	c := &Container{
		Service:      s.Name,
		Name:         s.Name,
		Path:         path,
		Essential:    true,
		Image:        r.image(path, s),
		User:         s.User,
		WorkingDir:   s.WorkingDir,
		ReadOnlyRoot: s.ReadOnly,
		Init:         s.Init != nil && *s.Init,
		TTY:          s.Tty,
		Stdin:        s.StdinOpen,
		StopTimeout:  r.stopTimeout(path, s),
		NoFile:       r.noFile(path, s),
		Labels:       maps.Clone(s.Labels),
		Sysctls:      r.sysctls(path, s),
		CapDrop:      r.capDrop(path, s),
	}
	if s.WorkingDir != "" && !strings.HasPrefix(s.WorkingDir, "/") && !windowsPath.MatchString(s.WorkingDir) {
		r.Errorf(path.Key("working_dir"), "path-relative", "%q must be an absolute path", s.WorkingDir)
	}
	r.commands(path, s, c)
	r.reserve(path, s, c)
	r.capAdd(path, s, c)
	c.Secrets = r.secretVariables(path, s)
	c.Environment = r.environment(path, s, c.Secrets)
	r.plainSecrets(path, s, c.Environment)
	c.HealthCheck = r.healthCheck(path, s)
	c.Ports = r.ports(path, s)
	r.mounts(f, path, s, c)
	c.LogOptions = r.logOptions(path, s)
	c.PullCredentials = r.pullCredentials(path, s)
	r.unreadExtensions(path, s)
	r.serviceModes(path, s)
	r.labelEssential(path, s, c)
	return c
}

var windowsPath = regexp.MustCompile(`^[A-Za-z]:[\\/]`)

// image reads image and build. An image pinned by its digest was built before,
// by a pipeline; otherwise what can be built from source is.
func (r *resolver) image(path Path, s types.ServiceConfig) Image {
	image := Image{Reference: s.Image}
	if s.Image != "" && !namesImage(s.Image) {
		r.Add(Error, path.Key("image"), "image-reference", "write [registry/]name[:tag][@digest], the name in lower case",
			fmt.Sprintf("%q does not name an image", s.Image))
	}
	if s.Build == nil {
		return image
	}
	b := s.Build
	at := path.Key("build")
	if strings.Contains(s.Image, "@sha256:") {
		r.Notef(at, "image-pinned", "the image is pinned by its digest and is not built again")
		return image
	}
	image.Build = &Build{
		Context:    b.Context,
		Dockerfile: b.Dockerfile,
		Inline:     b.DockerfileInline,
		Target:     b.Target,
		Args:       map[string]string{},
		Contexts:   maps.Clone(b.AdditionalContexts),
		CacheFrom:  slices.Clone(b.CacheFrom),
		NoCache:    b.NoCache,
		Network:    b.Network,
	}
	if image.Build.Inline != "" {
		image.Build.Dockerfile = ""
	}
	problem, outside := r.buildFiles(image.Build)
	switch {
	case outside != "":
		_, said, hint := load.FileFault(diag.ErrOutside)
		r.Add(Error, at.Key(outside), "path-outside", hint, "what the image is built from "+said)
		image.Build = nil
		return image
	case problem != "" && s.Image != "":
		r.Warnf(at, "build-missing", "%s, so the image %s is used as it is", problem, s.Image)
		image.Build = nil
		return image
	case problem != "":
		r.Errorf(at, "build-missing", "%s", problem)
	case s.Image != "":
		r.Notef(at, "build-wins", "the image is built from source; %q stays unused", s.Image)
	}
	r.buildContexts(at.Key("additional_contexts"), b.AdditionalContexts)
	r.buildWords(at, b)
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		arg := at.Key("args").Key(name)
		switch v := b.Args[name]; {
		case !argName.MatchString(name):
			r.Errorf(arg, "build-word", "%q cannot name a build argument: letters, digits and _ are allowed, no digit first", diag.Shorten(name))
		case v != nil:
			image.Build.Args[name] = *v
		default:
			r.Warnf(arg, "variable-unset", "build argument %q has no value and is left out", name)
		}
	}
	return image
}

// namesImage reports whether a text names an image; what only CloudFormation can
// fill in may stand for any part of it.
func namesImage(text string) bool {
	var b strings.Builder
	for _, part := range ParseText(text) {
		if part.Literal == "" {
			b.WriteString("x")
		}
		b.WriteString(part.Literal)
	}
	return imageReference.MatchString(b.String())
}

var (
	argName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// buildWord is a name of a stage, a network or the like: it becomes a word of
	// the command line of docker build.
	buildWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	// buildCache is where layers are taken from: an image, or type=…,key=value.
	buildCache = regexp.MustCompile(`^(?:type=(?:registry|gha|s3|azblob),[A-Za-z0-9][A-Za-z0-9._:/@=,-]*|[A-Za-z0-9][A-Za-z0-9._:/@-]*)$`)
)

// buildWords checks what of a build becomes words of a command line.
func (r *resolver) buildWords(path Path, b *types.BuildConfig) {
	for _, w := range []struct{ key, value string }{{"target", b.Target}, {"network", b.Network}} {
		if w.value != "" && !buildWord.MatchString(w.value) {
			r.Errorf(path.Key(w.key), "build-word", "%q is not a name: letters, digits and . _ - are allowed, a letter or digit first", diag.Shorten(w.value))
		}
	}
	for i, cache := range b.CacheFrom {
		if !buildCache.MatchString(cache) {
			r.Errorf(path.Key("cache_from").Index(i), "build-word",
				"%q is not a cache that a build can use: it names an image, or type=registry,ref=IMAGE", diag.Shorten(cache))
		}
	}
}

// buildContexts checks the additional contexts: folders of the project, and
// images.
func (r *resolver) buildContexts(path Path, contexts types.Mapping) {
	for _, name := range slices.Sorted(maps.Keys(contexts)) {
		at, context := path.Key(name), contexts[name]
		image, isImage := strings.CutPrefix(context, "docker-image://")
		switch {
		case !buildWord.MatchString(name):
			r.Errorf(at, "build-word", "%q cannot name a build context", diag.Shorten(name))
		case strings.HasPrefix(context, types.ServicePrefix):
			r.Errorf(at, "unsupported-build-context", "the image of another service cannot be a build context yet")
		case isImage && namesImage(image):
		case !filepath.IsAbs(context):
			r.Errorf(at, "file-remote", "%q is neither a folder of the project nor an image", diag.Shorten(context))
		default:
			if info, err := r.project.Folder.Stat(context); err != nil || !info.IsDir() {
				r.noFolder(at, context, err)
			}
		}
	}
}

func (r *resolver) noFolder(path Path, name string, err error) {
	if err == nil {
		err = fs.ErrNotExist
	}
	code, problem, hint := load.FileFault(err)
	r.Add(Error, path, code, hint, fmt.Sprintf("the folder %s %s", r.written(name), problem))
}

// imageReference is a registry, a path in lower case, a tag and a digest.
// See https://pkg.go.dev/github.com/distribution/reference
var imageReference = regexp.MustCompile(
	`^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?)+(?::[0-9]+)?/)?` +
		`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*` +
		`(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]+)?$`)

// buildFiles tells what of the files that an image is built from is missing, and
// the key that leads out of the project's folder.
func (r *resolver) buildFiles(b *Build) (problem, outside string) {
	if !filepath.IsAbs(b.Context) {
		return "images are built from folders, not from " + diag.Shorten(b.Context), ""
	}
	info, err := r.project.Folder.Stat(b.Context)
	if errors.Is(err, diag.ErrOutside) {
		return "", "context"
	}
	if err != nil || !info.IsDir() {
		return "there is no folder " + r.written(b.Context), ""
	}
	// The CDK reads it.
	if _, err := r.project.Folder.Stat(filepath.Join(b.Context, ".dockerignore")); errors.Is(err, diag.ErrOutside) {
		return "", "context"
	}
	if b.Inline != "" {
		return "", ""
	}
	file := b.Dockerfile
	if !filepath.IsAbs(file) {
		file = filepath.Join(b.Context, file)
	}
	info, err = r.project.Folder.Stat(file)
	if errors.Is(err, diag.ErrOutside) {
		return "", "dockerfile"
	}
	if err != nil || !info.Mode().IsRegular() {
		return "there is no Dockerfile " + r.written(file), ""
	}
	return "", ""
}

// written returns a path as a person would write it in the file.
func (r *resolver) written(path string) string {
	if below, err := filepath.Rel(r.project.WorkingDir, path); err == nil && filepath.IsLocal(below) {
		if below == "." {
			return "."
		}
		return "./" + filepath.ToSlash(below)
	} else if err == nil && r.project.Folder.Holds(path) {
		return filepath.ToSlash(below)
	}
	return path
}

// commands reads command and entrypoint. ECS takes an empty list for "as the
// image says", so clearing what the image says is possible only for a command,
// whose place an entrypoint takes.
func (r *resolver) commands(path Path, s types.ServiceConfig, c *Container) {
	c.Command = texts(s.Command)
	c.EntryPoint = texts(s.Entrypoint)
	if s.Entrypoint != nil && len(s.Entrypoint) == 0 {
		r.Add(Error, path.Key("entrypoint"), "entrypoint-empty", "name the program as entrypoint, or build an image without one",
			"ECS cannot clear the entrypoint of an image")
	}
	if s.Command != nil && len(s.Command) == 0 && len(s.Entrypoint) == 0 {
		r.Add(Error, path.Key("command"), "command-empty", "set entrypoint, which also clears the image's command",
			"ECS cannot clear the command of an image")
	}
}

func texts(items []string) []Text {
	var all []Text
	for _, item := range items {
		all = append(all, ParseText(item))
	}
	return all
}

// environment reads the variables, sorted by name, but for those that a secret
// of the same name replaces.
func (r *resolver) environment(path Path, s types.ServiceConfig, secrets []SecretVariable) []Variable {
	var all []Variable
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		at := path.Key("environment").Key(name)
		value := s.Environment[name]
		if value == nil {
			r.Add(Warning, at, "variable-unset", "give it a value here, in .env or in the environment",
				fmt.Sprintf("variable %q has no value and is left out", name))
			continue
		}
		if slices.ContainsFunc(secrets, func(v SecretVariable) bool { return v.Name == name }) {
			r.Warnf(at, "secret-wins", "a secret has the same name; the variable's own value is left out")
			continue
		}
		if !variableNamed.MatchString(name) {
			r.Add(Error, at, "variable-name", "letters, digits and _ . - are allowed", fmt.Sprintf("%q cannot name a variable", diag.Shorten(name)))
		}
		if m := secretFile.FindStringSubmatch(*value); m != nil {
			r.Add(Warning, at, "secret-file", secretFileHint(name, m[1]), fmt.Sprintf("there is no file %s: secrets become variables", m[0]))
		}
		all = append(all, Variable{Name: name, Value: ParseText(*value), Path: at})
	}
	return all
}

// variableNamed is what a variable of a container may be called.
var variableNamed = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// secretFile is where Docker puts a secret.
var secretFile = regexp.MustCompile(`/run/secrets/([A-Za-z0-9._-]+)`)

// secretFileHint knows that images which read POSTGRES_PASSWORD_FILE also take
// POSTGRES_PASSWORD.
func secretFileHint(variable, secret string) string {
	if name, ok := strings.CutSuffix(variable, "_FILE"); ok {
		return fmt.Sprintf("leave it out, and write secrets: {%s: {x-secrets: {VarName: %s}}}", secret, name)
	}
	return ""
}

// stopTimeout reads stop_grace_period in whole seconds.
func (r *resolver) stopTimeout(path Path, s types.ServiceConfig) int {
	const least, most = 2, 120
	if s.StopGracePeriod == nil {
		return 0
	}
	at := path.Key("stop_grace_period")
	wanted := time.Duration(*s.StopGracePeriod)
	seconds := int(math.Ceil(wanted.Seconds()))
	switch {
	case seconds > most:
		r.Errorf(at, "stop-timeout", "Fargate waits %d seconds at most for a container to stop, not %s", most, wanted)
		return most
	case seconds < least:
		r.Warnf(at, "clamped", "ECS waits %d seconds at least for a container to stop; %s becomes %d", least, wanted, least)
		return least
	}
	return seconds
}

// noFile reads the limit of open files and reports the others.
func (r *resolver) noFile(path Path, s types.ServiceConfig) *Limit {
	var limit *Limit
	for _, name := range slices.Sorted(maps.Keys(s.Ulimits)) {
		u := s.Ulimits[name]
		if u == nil {
			continue
		}
		if name != "nofile" {
			r.Warnf(path.Key("ulimits").Key(name), "ulimit", "Fargate lets only nofile change; %s keeps its default", name)
			continue
		}
		limit = &Limit{Soft: u.Soft, Hard: u.Hard}
		if u.Single != 0 {
			limit = &Limit{Soft: u.Single, Hard: u.Single}
		}
		if limit.Soft > limit.Hard {
			r.Errorf(path.Key("ulimits").Key(name), "ulimit", "the soft limit %d is above the hard limit %d", limit.Soft, limit.Hard)
		}
	}
	return limit
}

// sysctlPrefixes are the kernel parameters that a task has for itself.
var sysctlPrefixes = []string{"net.", "kernel.msg", "kernel.sem", "kernel.shm", "fs.mqueue."}

// sysctls reads the kernel parameters.
func (r *resolver) sysctls(path Path, s types.ServiceConfig) map[string]string {
	for _, name := range slices.Sorted(maps.Keys(s.Sysctls)) {
		if !slices.ContainsFunc(sysctlPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			r.Errorf(path.Key("sysctls").Key(name), "sysctl",
				"%q belongs to the host; a task has only %s of its own", name, strings.Join(sysctlPrefixes, "*, ")+"*")
		}
	}
	return maps.Clone(s.Sysctls)
}

// sysctlConflicts reports kernel parameters that containers of one task set
// differently: they share them.
func (r *resolver) sysctlConflicts(f *Family) {
	first := map[string]*Container{}
	for _, c := range f.Containers {
		for _, name := range slices.Sorted(maps.Keys(c.Sysctls)) {
			other, ok := first[name]
			if !ok {
				first[name] = c
				continue
			}
			if other.Sysctls[name] != c.Sysctls[name] {
				r.Errorf(c.Path.Key("sysctls").Key(name), "sysctl-conflict",
					"%q shares its kernel with %q in family %q, which sets %s to %s, not %s",
					c.Name, other.Name, f.Name, name, other.Sysctls[name], c.Sysctls[name])
			}
		}
	}
}

// capAdd keeps the one capability that Fargate can add.
func (r *resolver) capAdd(path Path, s types.ServiceConfig, c *Container) {
	const possible = "SYS_PTRACE"
	for i, name := range s.CapAdd {
		name = capability(name)
		switch {
		case name == possible:
			c.CapAdd = append(c.CapAdd, name)
		case dockerDefaults[name] && slices.Contains(c.CapDrop, "ALL"):
			r.Add(Error, path.Key("cap_add").Index(i), "capability", "drop the capabilities one by one instead of ALL",
				fmt.Sprintf("Fargate adds only %s, so %s cannot come back after ALL are dropped", possible, name))
		case dockerDefaults[name]:
			r.Notef(path.Key("cap_add").Index(i), "capability", "every container has %s anyway", name)
		default:
			r.Warnf(path.Key("cap_add").Index(i), "capability", "Fargate adds only %s; %s is left out", possible, name)
		}
	}
}

// dockerDefaults are the capabilities that a container has unless dropped.
var dockerDefaults = map[string]bool{
	"AUDIT_WRITE": true, "CHOWN": true, "DAC_OVERRIDE": true, "FOWNER": true, "FSETID": true,
	"KILL": true, "MKNOD": true, "NET_BIND_SERVICE": true, "NET_RAW": true, "SETFCAP": true,
	"SETGID": true, "SETPCAP": true, "SETUID": true, "SYS_CHROOT": true,
}

// droppable are the capabilities that ECS can take away: all that it knows.
// See https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html
var droppable = []string{
	"ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID",
	"IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN",
	"NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_BOOT",
	"SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME",
	"SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
}

// neverGranted lists capabilities that Fargate never grants and ECS rejects.
var neverGranted = []string{"BPF", "CHECKPOINT_RESTORE", "PERFMON"}

func capability(name string) string { return strings.TrimPrefix(strings.ToUpper(name), "CAP_") }

// capDrop reads cap_drop.
func (r *resolver) capDrop(path Path, s types.ServiceConfig) []string {
	var all []string
	for i, name := range s.CapDrop {
		name = capability(name)
		if slices.Contains(neverGranted, name) {
			continue
		}
		if !slices.Contains(droppable, name) {
			r.Unknown(path.Key("cap_drop").Index(i), "capability", "a capability that ECS knows", name, droppable)
			continue
		}
		all = append(all, name)
	}
	return all
}

// pullCredentials reads the secret for the image's registry.
func (r *resolver) pullCredentials(path Path, s types.ServiceConfig) string {
	const key = "x-aws-pull_credentials"
	value, ok := s.Extensions[key]
	if !ok {
		return ""
	}
	path = path.Key(key)
	var credentials string
	if !r.decode(path, value, &credentials) {
		return ""
	}
	if name, ok := strings.CutPrefix(credentials, "secrets::"); ok {
		if _, known := r.project.Secrets[name]; !known {
			r.Unknown(path, "secret-unknown", "a top-level secret", name, slices.Collect(maps.Keys(r.project.Secrets)))
			return ""
		}
		r.secret(name)
	} else if !strings.HasPrefix(credentials, "arn:") {
		r.Errorf(path, "pull-credentials", "%q is neither an ARN nor secrets::<name>", credentials)
	}
	return credentials
}
