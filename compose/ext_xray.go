package compose

import (
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// daemonName is the container that the daemon runs in.
const daemonName = "xray-daemon"

// xrayExtension is x-xray of a service where it is a mapping.
type xrayExtension struct {
	OverrideImage string
}

// xray adds tracing to the family of a service that asks for it: by its own
// x-xray, by the settings of old files for the service, or by those for all.
func (r *resolver) xray(f *Family, s types.ServiceConfig) {
	path, on, image := r.xraySwitch(s)
	if !on {
		return
	}
	if f.Tracing == nil {
		f.Tracing = &Tracing{Path: path}
		if c := f.container(daemonName); c != nil {
			r.Errorf(c.Path, "service-name", "in family %q, which is traced, %q is the name of the X-Ray daemon that x-xray adds", f.Name, daemonName)
		}
	}
	if !slices.Contains(f.Tracing.Services, s.Name) {
		f.Tracing.Services = append(f.Tracing.Services, s.Name)
	}
	if image == "" {
		return
	}
	if old := f.Tracing.Image; old != "" && old != image {
		r.Errorf(path, "xray-image", "services of family %q want two images of the X-Ray daemon, %s and %s", f.Name, old, image)
	}
	f.Tracing.Image = image
}

func (r *resolver) xraySwitch(s types.ServiceConfig) (path Path, on bool, image string) {
	path = servicePath(s.Name)
	for _, key := range []string{"x-xray", "x-ray"} {
		value, ok := s.Extensions[key]
		if !ok || value == nil {
			continue
		}
		at := path.Key(key)
		if key == "x-ray" {
			r.Deprecated(at, key, "x-xray")
		}
		if m, mapping := value.(map[string]any); mapping {
			if enabled, ok := m["enabled"]; ok { // of the first release
				r.Deprecated(at.Key("enabled"), "enabled", "x-xray: true")
				r.decode(at.Key("enabled"), enabled, &on)
				return at, on, ""
			}
			var ext xrayExtension
			r.decode(at, value, &ext)
			return at, true, ext.OverrideImage
		}
		r.decode(at, value, &on)
		return at, on, ""
	}
	settings := r.project.Settings
	if on, ok := settings.ServiceTracing[s.Name]; ok {
		return path, on, ""
	}
	return path, settings.Tracing != nil && *settings.Tracing, ""
}
