package xresource

import (
	"maps"
	"slices"
	"strings"

	"composecdk/compose"
)

// RDS is x-rds: Aurora clusters and single database instances of Amazon RDS,
// with generated credentials in Secrets Manager.
var RDS = &Kind{
	Schema: compose.Schema{
		Key:        "x-rds",
		Type:       clusterType,
		Required:   []string{"Lookup", "MacroParameters", "Properties"},
		Parameters: rdsParameters{},
		Settings:   rdsSettings{},
		Service:    rdsService{},
		Lookups:    []string{"cluster", "db", "secret"},
		Main:       "DBCluster",
		AccessAliases: map[string]compose.Grant{
			"RO": {Scope: "DBCluster", Profile: "RO"},
			"RW": {Scope: "DBCluster", Profile: "RO"},
		},
		Check: checkDatabase,
	},
	Values: map[string]string{
		"DBCluster": Ref, "Endpoint.Address": "Endpoint.Address", "Endpoint.Port": "Endpoint.Port",
		"ReadEndpoint.Address": "ReadEndpoint.Address",
		"DBClusterArn":         "DBClusterArn", "DBInstanceArn": "DBInstanceArn",
	},
	Retention: "Snapshot",
	Defaults: map[string]any{
		"BackupRetentionPeriod": 7,
		"CopyTagsToSnapshot":    true,
		"DeletionProtection":    true,
		"StorageEncrypted":      true,
	},
	ThrowAway: map[string]any{"BackupRetentionPeriod": 1, "DeletionProtection": false},
	Profiles: map[string]map[string]Profile{"DBCluster": {
		"RO": {{Actions: []string{"rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:ListTagsForResource"}}},
	}},
	New:    newDatabase,
	Import: importDatabase,
}

const (
	clusterType  = "AWS::RDS::DBCluster"
	instanceType = "AWS::RDS::DBInstance"
)

// rdsParameters are the MacroParameters of a database: its main properties
// without CloudFormation's detail.
type rdsParameters struct {
	Engine, EngineVersion string
	// Instances of an Aurora cluster; one of db.t3.medium by default.
	Instances []rdsInstance
	// ParametersGroups makes a parameter group.
	ParametersGroups *rdsParameterGroup
	MultiAZ          bool
	// RdsFeatures gives the database roles for S3; not supported yet.
	RdsFeatures []any
	// PermissionsBoundary is for the roles of RdsFeatures.
	PermissionsBoundary string
}

type rdsInstance struct {
	DBInstanceClass      string
	DBAllocatedStorage   int
	AllocatedStorage     int
	DBInstanceIdentifier string
	PubliclyAccessible   bool
	PromotionTier        *int
}

type rdsParameterGroup struct {
	Description, Family string
	Parameters          map[string]string
}

// rdsSettings is the kind's part of Settings.
type rdsSettings struct{ SecretsMappings secretsMappings }

// secretsMappings says which keys of the secret become variables.
type secretsMappings struct {
	// PrefixWithDbName is put before each variable name: true is the name of the
	// resource, a text is that text.
	PrefixWithDbName any
	// Mappings is {<key>: <variable>}, or a list of {SecretKey, VarName}.
	Mappings any
}

// rdsService is the kind's part of a Services entry.
type rdsService struct {
	SecretsMappings secretsMappings
	// GrantTaskAccess lets the application read the secret itself: true, or
	// {SecretEnvName: <variable for the secret's ARN>}.
	GrantTaskAccess any
	// DoNotExposeMappings gives the container no secret.
	DoNotExposeMappings bool
	// GenerateConnectionStringSecret is a variable for a secret that holds the
	// whole connection string.
	GenerateConnectionStringSecret string
}

// engines are the database engines: the port and the scheme of a connection
// string, by the first words of the engine's name.
var engines = []struct {
	prefix string
	port   int
	scheme string
}{
	{"aurora-postgresql", 5432, "postgresql"},
	{"aurora", 3306, "mysql"},
	{"postgres", 5432, "postgresql"},
	{"mysql", 3306, "mysql"},
	{"mariadb", 3306, "mariadb"},
	{"oracle", 1521, "oracle"},
	{"sqlserver", 1433, "sqlserver"},
	{"db2", 50000, "db2"},
}

// secretKeys are the keys that a secret of a database has once it is attached.
var secretKeys = []string{
	"dbClusterIdentifier", "dbInstanceIdentifier", "dbname", "engine", "host",
	"masterarn", "password", "port", "username",
}

// engineOf is the engine of a database, "" where neither Properties nor
// MacroParameters name one.
func engineOf(r *compose.Resource) string {
	engine, _ := r.Properties["Engine"].(string)
	if engine == "" {
		engine = r.Parameters.(*rdsParameters).Engine
	}
	return engine
}

// isCluster tells an Aurora or Multi-AZ cluster from a single instance.
func isCluster(r *compose.Resource) bool {
	if r.Lookup != nil {
		_, instance := r.Lookup["db"]
		return !instance
	}
	_, multiAZ := r.Properties["DBClusterInstanceClass"]
	return multiAZ || strings.HasPrefix(engineOf(r), "aurora")
}

func checkDatabase(c *compose.Checker, r *compose.Resource) {
	checkDatabaseBindings(c, r)
	if r.Mode == compose.Import {
		_, cluster := r.Lookup["cluster"]
		_, db := r.Lookup["db"]
		if cluster == db {
			c.Errorf(r.Path.Key("Lookup"), "lookup-empty", "the look-up of a database needs either cluster or db")
		}
		return
	}
	parameters := r.Parameters.(*rdsParameters)
	macro, properties := r.Path.Key("MacroParameters"), r.Path.Key("Properties")
	engine := engineOf(r)
	var names []string
	for _, e := range engines {
		names = append(names, e.prefix)
	}
	switch {
	case engine == "":
		c.Errorf(r.Path, "engine-missing", "a database needs an Engine, in Properties or MacroParameters")
	case !slices.ContainsFunc(names, func(prefix string) bool { return strings.HasPrefix(engine, prefix) }):
		c.Unknown(macro.Key("Engine"), "engine-unknown", "a database engine of Amazon RDS", engine, names)
	}
	if len(parameters.RdsFeatures) > 0 {
		c.Errorf(macro.Key("RdsFeatures"), "unsupported-rds-features", "RdsFeatures is not supported yet")
	}
	if parameters.PermissionsBoundary != "" && len(parameters.RdsFeatures) == 0 {
		c.Warnf(macro.Key("PermissionsBoundary"), "boundary-unused", "PermissionsBoundary is not used: the database has no role without RdsFeatures")
	}
	if _, ok := r.Properties["MasterUserPassword"]; ok {
		c.Warnf(properties.Key("MasterUserPassword"), "password-in-file", "the password is not used: one is generated in Secrets Manager; remove it from the file")
	}
	if !isCluster(r) && len(parameters.Instances) > 1 {
		c.Errorf(macro.Key("Instances"), "instances", "engine %s has one instance, found %d", engine, len(parameters.Instances))
	}
}

// checkDatabaseBindings checks what services ask of a database.
func checkDatabaseBindings(c *compose.Checker, r *compose.Resource) {
	missing := []string{"DBInstanceArn"}
	if !isCluster(r) {
		missing = []string{"DBClusterArn", "ReadEndpoint.Address"}
	}
	for _, b := range c.Model.Bindings {
		if b.Resource != r {
			continue
		}
		for _, v := range b.Returns {
			if slices.Contains(missing, v.Value) {
				c.Errorf(v.Path, "return-value-unknown", "%s has no %s: its engine is %s", r.Path, v.Value, engineOf(r))
			}
		}
		for _, m := range mappingsOf(b) {
			if !slices.Contains(secretKeys, m.key) && r.Mode == compose.Create {
				c.Unknown(b.Path.Key("SecretsMappings"), "secret-key-unknown", "a key of the secret of a database", m.key, secretKeys)
			}
		}
		if b.Options.(*rdsService).GenerateConnectionStringSecret != "" && r.Mode == compose.Import && r.Lookup["secret"].Path == "" {
			c.Errorf(b.Path.Key("GenerateConnectionStringSecret"), "secret-missing", "a connection string needs Lookup.secret")
		}
	}
}

// mapping makes one key of a secret a variable.
type mapping struct{ key, variable string }

// mappingsOf lists the variables of a binding, sorted by key: those of the
// Services entry, or those of Settings for every service.
func mappingsOf(b *compose.Binding) []mapping {
	from := b.Options.(*rdsService).SecretsMappings
	if from.Mappings == nil {
		from = b.Resource.Settings.(*rdsSettings).SecretsMappings
	}
	prefix := ""
	switch p := from.PrefixWithDbName.(type) {
	case bool:
		if p {
			prefix = b.Resource.Name + "_"
		}
	case string:
		prefix = p + "_"
	}
	var mappings []mapping
	add := func(key string, variable any) {
		if name, ok := variable.(string); ok && key != "" {
			mappings = append(mappings, mapping{key, prefix + name})
		}
	}
	switch m := from.Mappings.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(m)) {
			add(key, m[key])
		}
	case []any:
		for _, item := range m {
			fields, _ := item.(map[string]any)
			key, _ := fields["SecretKey"].(string)
			variable, ok := fields["VarName"]
			if !ok {
				variable = strings.ToUpper(key)
			}
			add(key, variable)
		}
	}
	return mappings
}
