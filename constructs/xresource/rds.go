package xresource

import (
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
		Networked:  true,
		Snapshots:  true,
		AccessAliases: map[string]compose.Grant{
			"RO": {Scope: "DBCluster", Profile: "RO"},
			"RW": {Scope: "DBCluster", Profile: "RO"},
		},
		Without: databaseWithout,
		Check:   checkDatabase,
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
	Ephemeral: map[string]any{"DeletionProtection": false},
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
	// taken are the variables that another database has already.
	taken []string
}

// engine is what differs between database engines: the port, the scheme of a
// connection string, and the database that is there without being asked for.
type engine struct {
	name     string // with "-" at its end, the beginning of several names
	port     int
	scheme   string
	database string
}

var engines = []engine{
	{"aurora-postgresql", 5432, "postgresql", "postgres"},
	{"aurora-mysql", 3306, "mysql", ""},
	{"aurora", 3306, "mysql", ""},
	{"postgres", 5432, "postgresql", "postgres"},
	{"mysql", 3306, "mysql", ""},
	{"mariadb", 3306, "mariadb", ""},
	{"oracle-", 1521, "oracle", "ORCL"},
	{"sqlserver-", 1433, "sqlserver", "master"},
	{"db2-", 50000, "db2", ""},
}

// engineNamed finds an engine by its full name, such as "oracle-ee".
func engineNamed(name string) (engine, bool) {
	for _, e := range engines {
		if name == e.name || strings.HasSuffix(e.name, "-") && strings.HasPrefix(name, e.name) {
			return e, true
		}
	}
	return engine{}, false
}

// secretKeys are the keys that the secret of a new database has once it is
// attached.
func secretKeys(r *compose.Resource) []string {
	keys := []string{"engine", "host", "password", "port", "username"}
	identifier, database := "dbInstanceIdentifier", "DBName"
	if isCluster(r) {
		identifier, database = "dbClusterIdentifier", "DatabaseName"
	}
	if r.Properties[database] != nil {
		keys = append(keys, "dbname")
	}
	return append(keys, identifier)
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

// databaseWithout lists the values of the other one of cluster and instance.
func databaseWithout(r *compose.Resource) []string {
	if isCluster(r) {
		return []string{"DBInstanceArn"}
	}
	return []string{"DBClusterArn", "ReadEndpoint.Address"}
}
