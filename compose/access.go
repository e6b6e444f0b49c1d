package compose

import (
	"fmt"
	"maps"
	"slices"

	"composecdk/compose/diag"
)

// grants reads Access: the name of a profile, or names by scope.
func (r *resolver) grants(res *Resource, path Path, value any) []Grant {
	switch access := value.(type) {
	case nil:
		return nil
	case string:
		return r.grant(res, "", access, path)
	case map[string]any:
		var grants []Grant
		for _, scope := range slices.Sorted(maps.Keys(access)) {
			at := path.Key(scope)
			if slices.Contains(res.Schema.AccessFlags, scope) {
				r.accessFlag(res, at, access[scope])
				continue
			}
			if _, ok := res.Schema.Access[scope]; !ok || scope == "" {
				r.Unknown(at, "access-unknown", "an access scope of "+res.Key, scope, res.Schema.scopes())
				continue
			}
			profile, ok := access[scope].(string)
			if !ok {
				r.Errorf(at, "type", "expected the name of an access profile, found %s", diag.Describe(access[scope]))
				continue
			}
			grants = append(grants, r.grant(res, scope, profile, at)...)
		}
		return grants
	default:
		r.Errorf(path, "type", "expected the name of an access profile, found %s", diag.Describe(value))
		return nil
	}
}

func (r *resolver) grant(res *Resource, scope, profile string, path Path) []Grant {
	profiles := res.Schema.Access[scope]
	if slices.Contains(profiles, profile) {
		return []Grant{{Scope: scope, Profile: profile, Path: path}}
	}
	if short := res.Schema.AccessShort[profile]; scope == "" && short != nil {
		grants := slices.Clone(short)
		for i := range grants {
			grants[i].Path = path
		}
		return grants
	}
	if alias, ok := res.Schema.AccessAliases[profile]; ok && scope == "" {
		current := "Access: " + alias.Profile
		if alias.Scope != "" {
			current = fmt.Sprintf("Access: {%s: %s}", alias.Scope, alias.Profile)
		}
		r.Deprecated(path, "Access: "+profile, current)
		alias.Path = path
		return []Grant{alias}
	}
	if scope == "" {
		profiles = slices.Concat(profiles, slices.Sorted(maps.Keys(res.Schema.AccessShort)))
	}
	if len(profiles) == 0 {
		profiles = res.Schema.scopes()
	}
	r.Unknown(path, "access-unknown", "an access profile of "+res.Key, profile, profiles)
	return nil
}

// accessFlag warns of a flag that is switched off.
func (r *resolver) accessFlag(res *Resource, path Path, value any) {
	var on bool
	if r.decode(path, value, &on) && !on {
		r.Warnf(path, "access-flag", "%s is always so for a resource of %s", path.Last(), res.Key)
	}
}
