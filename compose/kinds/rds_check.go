package kinds

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"composecdk/compose"
)

// checkDatabase applies the rules of a database that no single property shows.
func checkDatabase(c *compose.Checker, r *compose.Resource) {
	checkMappings(c, r.Path.Key("Settings").Key("SecretsMappings"), r, r.Settings.(*RDSSettings).SecretsMappings)
	for _, b := range c.Model.Bindings {
		if b.Resource == r {
			checkDatabaseBinding(c, b)
		}
	}
	if r.Mode == compose.Import {
		_, cluster := r.Lookup["cluster"]
		_, db := r.Lookup["db"]
		if cluster == db {
			c.Errorf(r.Path.Key("Lookup"), "lookup-empty", "the look-up of a database needs either cluster or db")
		}
		return
	}
	checkEngine(c, r)
	checkInstances(c, r)
	checkCredentials(c, r)
	path, parameters := r.Path.Key("MacroParameters"), r.Parameters.(*RDSParameters)
	if len(parameters.RdsFeatures) > 0 {
		c.Errorf(path.Key("RdsFeatures"), "unsupported-rds-features", "RdsFeatures is not supported yet")
	}
	if parameters.PermissionsBoundary != "" && len(parameters.RdsFeatures) == 0 {
		c.Warnf(path.Key("PermissionsBoundary"), "boundary-unused", "PermissionsBoundary is not used: the database has no role without RdsFeatures")
	}
}

func checkEngine(c *compose.Checker, r *compose.Resource) {
	name := EngineOf(r)
	if name == "" {
		c.Errorf(r.Path, "engine-missing", "a database needs an Engine, in Properties or MacroParameters")
		return
	}
	if _, ok := EngineNamed(name); ok {
		return
	}
	path := r.Path.Key("MacroParameters").Key("Engine")
	if _, ok := r.Properties["Engine"]; ok {
		path = r.Path.Key("Properties").Key("Engine")
	}
	var names []string
	for _, e := range engines {
		if strings.HasSuffix(e.Name, "-") {
			e.Name += "…"
		}
		names = append(names, e.Name)
	}
	c.Unknown(path, "engine-unknown", "a database engine of Amazon RDS", name, names)
}

// checkInstances reports what the kind of database cannot follow.
func checkInstances(c *compose.Checker, r *compose.Resource) {
	path, parameters := r.Path.Key("MacroParameters"), r.Parameters.(*RDSParameters)
	if g := parameters.ParametersGroups; g != nil && g.Family == "" {
		c.Errorf(path.Key("ParametersGroups"), "parameter-group", "a parameter group needs a Family, such as aurora-postgresql16")
	}
	if !IsCluster(r) {
		if n := len(parameters.Instances); n > 1 {
			c.Errorf(path.Key("Instances"), "instances", "engine %s has one instance, found %d", EngineOf(r), n)
		}
		return
	}
	if parameters.MultiAZ {
		c.Warnf(path.Key("MultiAZ"), "multi-az-unused", "MultiAZ is not used: a cluster stands in several zones if it has several Instances")
	}
	for i, instance := range parameters.Instances {
		if instance.AllocatedStorage+instance.DBAllocatedStorage > 0 {
			c.Warnf(path.Key("Instances").Index(i), "storage-unused", "AllocatedStorage of an instance has no effect in a cluster: the cluster manages its storage")
		}
	}
}

// checkCredentials reports other credentials: the user and password are generated, and what decides
// about them cannot be combined with that.
func checkCredentials(c *compose.Checker, r *compose.Resource) {
	path := r.Path.Key("Properties")
	if _, ok := r.Properties["MasterUserPassword"]; ok {
		c.Warnf(path.Key("MasterUserPassword"), "password-in-file", "the password is not used: one is generated in Secrets Manager; remove it from the file")
	}
	if user, ok := r.Properties["MasterUsername"]; ok {
		if name, text := user.(string); !text || strings.Contains(name, "::") {
			c.Errorf(path.Key("MasterUsername"), "master-username", "the name of the user must be a plain text: it becomes part of the secret")
		}
	}
	for _, name := range []string{
		"GlobalClusterIdentifier", "ManageMasterUserPassword", "MasterUserSecret", "ReplicationSourceIdentifier",
		"SourceDBClusterIdentifier", "SourceDBInstanceIdentifier",
	} {
		if value, ok := r.Properties[name]; ok && fmt.Sprint(value) != "false" {
			c.Errorf(path.Key(name), "unsupported-credentials", "%s is not supported yet: the credentials of a database are generated", name)
		}
	}
}

// checkDatabaseBinding checks what a service asks of a database.
func checkDatabaseBinding(c *compose.Checker, b *compose.Binding) {
	options := b.Options.(*RDSService)
	checkMappings(c, b.Path.Key("SecretsMappings"), b.Resource, options.SecretsMappings)
	hasSecret := true
	if b.Resource.Mode == compose.Import {
		_, hasSecret = b.Resource.Lookup["secret"]
	}
	if hasSecret {
		checkSecretVariables(c, b)
	}
	path := b.Path.Key("GenerateConnectionStringSecret")
	if name := options.GenerateConnectionStringSecret; name != "" {
		c.Variable(path, name)
		if !hasSecret {
			c.Errorf(path, "secret-missing", "a connection string needs Lookup.secret")
		}
	}
	path = b.Path.Key("GrantTaskAccess")
	variable, granted, ok := TaskAccess(options.GrantTaskAccess)
	if !ok {
		c.Errorf(path, "type", "expected true, false or {SecretEnvName: <variable>}")
	}
	if variable != "" {
		c.Variable(path.Key("SecretEnvName"), variable)
	}
	if granted && !hasSecret {
		c.Errorf(path, "secret-missing", "there is no secret to grant access to; give Lookup.secret")
	}
}

// checkSecretVariables gives the secrets of a binding their variables. Where two
// databases would set the same one, the first one does.
func checkSecretVariables(c *compose.Checker, b *compose.Binding) {
	for _, m := range SecretVariables(b) {
		for _, other := range c.Model.Bindings {
			if other == b {
				break
			}
			if other.Container != b.Container || other.Resource.Key != b.Resource.Key {
				continue
			}
			if slices.ContainsFunc(SecretVariables(other), func(o SecretVariable) bool { return o.Variable == m.Variable }) {
				c.Warnf(b.Path, "variable-taken", "%s of service %s is a secret of %s already, and stays that", m.Variable, b.Container.Service, other.Resource.Path)
				b.Options.(*RDSService).taken = append(b.Options.(*RDSService).taken, m.Variable)
			}
		}
		c.TakeVariable(b, b.Path, m.Variable)
	}
}

// checkMappings checks the form of SecretsMappings, which may be a mapping or a
// list, and the names in it.
func checkMappings(c *compose.Checker, path compose.Path, r *compose.Resource, s SecretsMappings) {
	switch s.PrefixWithDbName.(type) {
	case nil, bool, string:
	default:
		c.Errorf(path.Key("PrefixWithDbName"), "type", "expected true, false or a text")
	}
	path = path.Key("Mappings")
	check := func(at compose.Path, key string, variable any) {
		if name, ok := variable.(string); ok {
			c.Variable(at, name)
		} else {
			c.Errorf(at, "type", "expected the name of a variable")
		}
		if keys := secretKeys(r); !slices.Contains(keys, key) && r.Mode == compose.Create {
			c.Unknown(at, "secret-key-unknown", "a key of the secret of "+string(r.Path), key, keys)
		}
	}
	switch m := s.Mappings.(type) {
	case nil:
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(m)) {
			check(path.Key(key), key, m[key])
		}
	case []any:
		for i, item := range m {
			fields, _ := item.(map[string]any)
			key, ok := fields["SecretKey"].(string)
			if !ok {
				c.Errorf(path.Index(i), "type", "expected {SecretKey: <key>, VarName: <variable>}")
				continue
			}
			variable, ok := fields["VarName"]
			if !ok {
				variable = strings.ToUpper(key)
			}
			check(path.Index(i), key, variable)
		}
	default:
		c.Errorf(path, "type", "expected a mapping of keys to variables, or a list of {SecretKey, VarName}")
	}
}
