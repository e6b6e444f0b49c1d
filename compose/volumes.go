package compose

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// mounts reads volumes and tmpfs of a service.
func (r *resolver) mounts(f *Family, path Path, s types.ServiceConfig, c *Container) {
	for i, target := range s.Tmpfs {
		r.tmpfsLine(path.Key("tmpfs").Index(i), target, c)
	}
	held := r.heldMounts(s)
	for i, v := range s.Volumes {
		at := path.Key("volumes").Index(i)
		if j := slices.IndexFunc(held, func(target string) bool { return within(target, v.Target) }); j >= 0 && v.Source == "" {
			r.Notef(at, "volume-unneeded", "nothing is mounted on %s, so nothing of the image below it needs a volume of its own", held[j])
			continue
		}
		switch v.Type {
		case types.VolumeTypeTmpfs:
			r.tmpfsVolume(at, v, c)
		case types.VolumeTypeVolume:
			r.volumeMount(f, at, v, c)
		case types.VolumeTypeBind:
			r.bindMount(at, v, held)
		default:
			r.Errorf(at, "volume-type", "volumes of type %q do not exist on Fargate", v.Type)
		}
	}
	slices.SortStableFunc(c.Mounts, func(a, b Mount) int { return cmp.Compare(a.Target, b.Target) })
	slices.SortStableFunc(c.Tmpfs, func(a, b Tmpfs) int { return cmp.Compare(a.Target, b.Target) })
	r.mountTargets(path, c)
	for i, line := range s.Tmpfs {
		target, _, _ := strings.Cut(line, ":")
		r.absoluteTarget(path.Key("tmpfs").Index(i), target)
	}
	for i, v := range s.Volumes {
		r.absoluteTarget(path.Key("volumes").Index(i), v.Target)
	}
}

func (r *resolver) absoluteTarget(path Path, target string) {
	if !strings.HasPrefix(target, "/") && !windowsPath.MatchString(target) {
		r.Errorf(path, "path-relative", "the folder %q in the container must be an absolute path", target)
	}
}

// mountTargets reports folders on which two things are mounted.
func (r *resolver) mountTargets(path Path, c *Container) {
	var targets []string
	for _, m := range c.Mounts {
		targets = append(targets, m.Target)
	}
	for _, t := range c.Tmpfs {
		targets = append(targets, t.Target)
	}
	slices.Sort(targets)
	for i := 1; i < len(targets); i++ {
		if targets[i] == targets[i-1] {
			r.Errorf(path.Key("volumes"), "mount-conflict", "two volumes are mounted on %s", targets[i])
		}
	}
}

// heldMounts returns the targets of bind mounts whose files the image holds as well.
func (r *resolver) heldMounts(s types.ServiceConfig) []string {
	if s.Build == nil {
		return nil
	}
	d := r.project.Dockerfile(s.Build)
	var targets []string
	for _, v := range s.Volumes {
		below, err := filepath.Rel(s.Build.Context, v.Source)
		if v.Type == types.VolumeTypeBind && err == nil && filepath.IsLocal(below) && d.Holds(below, v.Target) {
			targets = append(targets, v.Target)
		}
	}
	return targets
}

// within reports whether target is dir or below it.
func within(dir, target string) bool {
	below, err := filepath.Rel(dir, target)
	return err == nil && filepath.IsLocal(below)
}

// bindMount refuses a folder of the machine, but for one that the image holds as
// well, which are held: on a laptop such a mount shows changes of the sources without a build.
func (r *resolver) bindMount(path Path, v types.ServiceVolumeConfig, held []string) {
	source := r.written(v.Source)
	if strings.HasSuffix(v.Source, "docker.sock") {
		r.Errorf(path, "docker-socket", "Fargate has no Docker daemon to reach at %s", source)
		return
	}
	if slices.Contains(held, v.Target) {
		r.Warnf(path, "bind-mount-image", "%s is not mounted: the image holds it at %s, as it was when it was built", source, v.Target)
		return
	}
	r.Add(Error, path, "bind-mount", "copy it into the image, or keep the data in a named volume",
		fmt.Sprintf("a task on Fargate has no host whose %s it could mount on %s", source, v.Target))
}

// volumeMount mounts a named volume, or one without a name, which lives and dies
// with the task.
func (r *resolver) volumeMount(f *Family, path Path, v types.ServiceVolumeConfig, c *Container) {
	if v.Volume != nil && v.Volume.Subpath != "" {
		r.Errorf(path, "volume-subpath", "a subpath of a volume cannot be mounted; declare a volume of its own")
	}
	if v.Source == "" {
		r.Add(Warning, path, "volume-ephemeral", "give the volume a name to keep its files",
			fmt.Sprintf("the files below %s are lost when the task stops", v.Target))
		c.Mounts = append(c.Mounts, Mount{
			Volume: taskVolume(c.Service, v.Target), Target: v.Target, ReadOnly: v.ReadOnly, Task: true,
		})
		return
	}
	volume := r.volume(v.Source)
	if volume == nil {
		return
	}
	c.Mounts = append(c.Mounts, Mount{Volume: volume.Name, Target: v.Target, ReadOnly: v.ReadOnly})
	i := slices.IndexFunc(volume.Users, func(u VolumeUser) bool { return u.Family == f.Name })
	if i < 0 {
		i = len(volume.Users)
		volume.Users = append(volume.Users, VolumeUser{Family: f.Name})
	}
	volume.Users[i].Write = volume.Users[i].Write || !v.ReadOnly
	slices.SortFunc(volume.Users, func(a, b VolumeUser) int { return cmp.Compare(a.Family, b.Family) })
}

var notVolumeName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// taskVolume names a volume that has no name, after what it is for.
func taskVolume(service, target string) string {
	return strings.Trim(notVolumeName.ReplaceAllString(service+"-"+strings.Trim(target, "/"), "-"), "-")
}

// efsExtension is x-efs of a top-level volume.
type efsExtension struct {
	Properties      Fragment
	MacroParameters struct {
		EnforceIamAuth          bool
		RootDirectoryCreateMode string
	}
	Lookup *lookupExtension
}

// volume puts a named volume into the model, once; nil means that it cannot be.
func (r *resolver) volume(name string) *Volume {
	for _, v := range r.model.Volumes {
		if v.Name == name {
			return v
		}
	}
	declared, ok := r.project.Volumes[name]
	if !ok {
		return nil // Load has reported it
	}
	v := &Volume{Name: name, Path: At("volumes", name)}
	r.model.Volumes = append(r.model.Volumes, v)
	before := r.Found.Count(Error)
	if r.externalVolume(v, declared) {
		return v
	}
	r.volumeDriver(v, declared)
	r.efs(v, declared)
	if v.External == "" && r.Found.Count(Error) == before {
		r.Notef(v.Path, "volume-efs",
			"the volume is kept in an encrypted EFS file system, billed by the GiB stored, and stays when the stack is deleted")
	}
	return v
}

var fileSystemID = regexp.MustCompile(`^(arn:[^:]+:elasticfilesystem:.*/)?(fs-[0-9a-f]+)$`)

func (r *resolver) externalVolume(v *Volume, declared types.VolumeConfig) bool {
	if !declared.External {
		return false
	}
	m := fileSystemID.FindStringSubmatch(cmp.Or(declared.Name, v.Name))
	if m == nil {
		if _, ok := declared.Extensions["x-efs"]; ok {
			return false
		}
		r.Add(Error, v.Path, "volume-external", "write name: fs-…, the id of an EFS file system",
			fmt.Sprintf("there is no Docker volume %q on AWS", cmp.Or(declared.Name, v.Name)))
		return true
	}
	v.External = m[2]
	return true
}

// driverProperty says what a driver option is in CloudFormation.
type driverProperty struct {
	name string
	of   func(value string) any
}

func asWritten(value string) any { return value }

// driverProperties are the options of Docker's ECS integration that are
// properties of the file system.
var driverProperties = map[string]driverProperty{
	"performance_mode": {"PerformanceMode", asWritten},
	"throughput_mode":  {"ThroughputMode", asWritten},
	"kms_key_id":       {"KmsKeyId", asWritten},
	"provisioned_throughput": {"ProvisionedThroughputInMibps", func(value string) any {
		if n, ok := diag.Number(value); ok {
			return n
		}
		return value
	}},
	"backup_policy": {"BackupPolicy", func(value string) any { return map[string]any{"Status": value} }},
	"lifecycle_policy": {"LifecyclePolicies", func(value string) any {
		return []any{map[string]any{"TransitionToIA": value}}
	}},
}

// efsDrivers are names under which files ask for EFS, or for no driver at all.
var efsDrivers = []string{"", "local", "efs", "nfs"}

// volumeDriver reads driver and driver_opts.
func (r *resolver) volumeDriver(v *Volume, declared types.VolumeConfig) {
	if !slices.Contains(efsDrivers, declared.Driver) {
		r.Errorf(v.Path.Key("driver"), "volume-driver", "volume driver %q does not exist on Fargate; volumes are EFS file systems", declared.Driver)
	}
	path := v.Path.Key("driver_opts")
	opts := declared.DriverOpts
	if strings.Contains(opts["o"], "bind") || opts["type"] == "bind" {
		r.Add(Error, path, "bind-mount", "copy it into the image, or drop driver_opts to keep the data in EFS",
			fmt.Sprintf("a task on Fargate has no folder %s of a host", r.written(opts["device"])))
		return
	}
	if m := nfsAddress.FindStringSubmatch(opts["o"]); m != nil {
		v.External = m[1]
		return
	}
	for _, name := range slices.Sorted(maps.Keys(opts)) {
		at, value := path.Key(name), opts[name]
		key := strings.ReplaceAll(name, "-", "_")
		if p, ok := driverProperties[key]; ok {
			if v.Properties == nil {
				v.Properties = map[string]any{}
			}
			v.Properties[p.name] = p.of(value)
			r.refer(at, value)
			continue
		}
		switch key {
		case "uid":
			v.UID = value
		case "gid":
			v.GID = value
		case "permissions":
			v.Permissions = value
		default:
			known := append(slices.Collect(maps.Keys(driverProperties)), "uid", "gid", "permissions")
			r.Unknown(at, "driver-option", "a driver option of an EFS volume", name, known)
		}
	}
}

var nfsAddress = regexp.MustCompile(`addr=(fs-[0-9a-f]+)\.efs\.`)

// efs reads x-efs.
func (r *resolver) efs(v *Volume, declared types.VolumeConfig) {
	value, ok := declared.Extensions["x-efs"]
	if !ok {
		return
	}
	path := v.Path.Key("x-efs")
	var ext efsExtension
	if !r.decode(path, value, &ext) {
		return
	}
	if ext.Lookup != nil {
		m := fileSystemID.FindStringSubmatch(cmp.Or(ext.Lookup.Identifier, ext.Lookup.Arn))
		if m == nil {
			r.Add(Error, path.Key("Lookup"), "unsupported-lookup", "write Lookup: {Identifier: fs-…}",
				"a file system cannot be looked up by tags yet")
			return
		}
		v.External = m[2]
		return
	}
	if len(ext.Properties) > 0 {
		if v.Properties == nil {
			v.Properties = map[string]any{}
		}
		maps.Copy(v.Properties, ext.Properties)
	}
	v.Permissions = cmp.Or(ext.MacroParameters.RootDirectoryCreateMode, v.Permissions)
}

// unusedVolumes notes named volumes that no service mounts.
func (r *resolver) unusedVolumes() {
	for _, name := range slices.Sorted(maps.Keys(r.project.Volumes)) {
		used := slices.ContainsFunc(r.model.Volumes, func(v *Volume) bool { return v.Name == name })
		if !used {
			r.Notef(At("volumes", name), "volume-unused", "no service mounts the volume, so nothing is made for it")
		}
	}
}

// defaultTmpfs is the size of a memory file system that has none, in MiB.
const defaultTmpfs = 64

// tmpfsLine reads an entry of tmpfs: /run, or /run:size=64m,mode=755.
func (r *resolver) tmpfsLine(path Path, line string, c *Container) {
	target, options, _ := strings.Cut(line, ":")
	t := Tmpfs{Target: target}
	for option := range strings.SplitSeq(options, ",") {
		size, sized := strings.CutPrefix(option, "size=")
		switch {
		case option == "":
		case sized:
			n, err := parseBytes(size)
			if err != nil {
				r.Errorf(path, "type", "%q is not a size, such as 64m", size)
				n = defaultTmpfs << 20
			}
			t.Size = mebibytes(n)
		case !slices.Contains(tmpfsOptions, beforeEqual(option)):
			r.Unknown(path, "tmpfs-option", "an option of a memory file system", beforeEqual(option), append([]string{"size"}, tmpfsOptions...))
		default:
			t.Options = append(t.Options, option)
		}
	}
	r.addTmpfs(path, t, c)
}

// tmpfsOptions lists the mount options of tmpfs that ECS accepts, beside size.
// See https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tmpfs.html
var tmpfsOptions = []string{
	"defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync",
	"remount", "mand", "nomand", "atime", "noatime", "diratime", "nodiratime", "bind", "rbind",
	"unbindable", "runbindable", "private", "rprivate", "shared", "rshared", "slave", "rslave",
	"relatime", "norelatime", "strictatime", "nostrictatime", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol",
}

func beforeEqual(option string) string {
	name, _, _ := strings.Cut(option, "=")
	return name
}

var byteSize = regexp.MustCompile(`(?i)^(\d{1,12})([kmgt]?)i?b?$`)

// parseBytes reads a size as mount(8) and Docker write it: 64m, 1g, 65536.
func parseBytes(text string) (types.UnitBytes, error) {
	m := byteSize.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is not a size", text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, err
	}
	const kibi = 10
	power := strings.Index(" kmgt", strings.ToLower(m[2] + " ")[:1])
	return types.UnitBytes(n << (kibi * power)), nil
}

// tmpfsVolume reads a volume of type tmpfs.
func (r *resolver) tmpfsVolume(path Path, v types.ServiceVolumeConfig, c *Container) {
	t := Tmpfs{Target: v.Target}
	if v.Tmpfs != nil {
		t.Size = mebibytes(v.Tmpfs.Size)
		if v.Tmpfs.Mode != 0 {
			t.Options = append(t.Options, fmt.Sprintf("mode=%o", v.Tmpfs.Mode))
		}
	}
	if v.ReadOnly {
		t.Options = append(t.Options, "ro")
	}
	r.addTmpfs(path, t, c)
}

func (r *resolver) addTmpfs(path Path, t Tmpfs, c *Container) {
	if t.Size == 0 {
		t.Size = defaultTmpfs
		r.Notef(path, "tmpfs-size", "the memory file system on %s gets %d MiB, for it has no size", t.Target, t.Size)
	}
	c.Tmpfs = append(c.Tmpfs, t)
}
