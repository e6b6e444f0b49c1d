package kinds

import (
	"strings"

	"composecdk/compose"
)

// RDS is x-rds: Aurora clusters and single database instances of Amazon RDS,
// with generated credentials in Secrets Manager.
var RDS = &Kind{
	Schema: compose.Schema{
		Key:        "x-rds",
		Type:       ClusterType,
		Required:   []string{"Lookup", "MacroParameters", "Properties"},
		Parameters: RDSParameters{},
		Settings:   RDSSettings{},
		Service:    RDSService{},
		Lookups:    []string{"cluster", "db", "secret"},
		Main:       "DBCluster",
		Bare:       []string{"DBClusterArn", "DBInstanceArn"},
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
	Keys: []KeyProperty{{Path: "KmsKeyId", Via: "rds"}, {Path: "PerformanceInsightsKMSKeyId", Via: "rds"}, {Path: "PerformanceInsightsKmsKeyId", Via: "rds"}},
}

// The resource types of databases.
const (
	ClusterType  = "AWS::RDS::DBCluster"
	InstanceType = "AWS::RDS::DBInstance"
)

// RDSParameters are the MacroParameters of a database: its main properties
// without CloudFormation's detail.
type RDSParameters struct {
	Engine, EngineVersion string
	// Instances of an Aurora cluster; one of db.t3.medium by default.
	Instances []RDSInstance
	// ParametersGroups makes a parameter group.
	ParametersGroups *RDSParameterGroup
	MultiAZ          bool
	// RdsFeatures gives the database roles for S3; not supported yet.
	RdsFeatures []any
	// PermissionsBoundary is for the roles of RdsFeatures.
	PermissionsBoundary string
}

// RDSInstance is one instance of an Aurora cluster.
type RDSInstance struct {
	DBInstanceClass      string
	DBAllocatedStorage   int
	AllocatedStorage     int
	DBInstanceIdentifier string
	PubliclyAccessible   bool
	PromotionTier        *int
}

// RDSParameterGroup is a parameter group of the engine's family.
type RDSParameterGroup struct {
	Description, Family string
	Parameters          map[string]string
}

// RDSSettings is the kind's part of Settings.
type RDSSettings struct{ SecretsMappings SecretsMappings }

// SecretsMappings says which keys of the secret become variables.
type SecretsMappings struct {
	// PrefixWithDbName is put before each variable name: true is the name of the
	// resource, a text is that text.
	PrefixWithDbName any
	// Mappings is {<key>: <variable>}, or a list of {SecretKey, VarName}.
	Mappings any
}

// RDSService is the kind's part of a Services entry.
type RDSService struct {
	SecretsMappings SecretsMappings
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

// Engine is what differs between database engines: the port, the scheme of a
// connection string, and the database that is there without being asked for.
type Engine struct {
	Name     string // with "-" at its end, the beginning of several names
	Port     int
	Scheme   string
	Database string
}

var engines = []Engine{
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

// EngineNamed finds an engine by its full name, such as "oracle-ee".
func EngineNamed(name string) (Engine, bool) {
	for _, e := range engines {
		if name == e.Name || strings.HasSuffix(e.Name, "-") && strings.HasPrefix(name, e.Name) {
			return e, true
		}
	}
	return Engine{}, false
}

// secretKeys returns the keys that the secret of a new database has once it is
// attached.
func secretKeys(r *compose.Resource) []string {
	keys := []string{"engine", "host", "password", "port", "username"}
	identifier, database := "dbInstanceIdentifier", "DBName"
	if IsCluster(r) {
		identifier, database = "dbClusterIdentifier", "DatabaseName"
	}
	if r.Properties[database] != nil {
		keys = append(keys, "dbname")
	}
	return append(keys, identifier)
}

// EngineOf returns the engine of a database, "" where neither Properties nor
// MacroParameters name one.
func EngineOf(r *compose.Resource) string {
	engine, _ := r.Properties["Engine"].(string)
	if engine == "" {
		engine = r.Parameters.(*RDSParameters).Engine
	}
	return engine
}

// IsCluster reports whether a database is an Aurora or Multi-AZ cluster, not a single instance.
func IsCluster(r *compose.Resource) bool {
	if r.Lookup != nil {
		_, instance := r.Lookup["db"]
		return !instance
	}
	_, multiAZ := r.Properties["DBClusterInstanceClass"]
	return multiAZ || strings.HasPrefix(EngineOf(r), "aurora")
}

// databaseWithout lists the values of the other one of cluster and instance.
func databaseWithout(r *compose.Resource) []string {
	if IsCluster(r) {
		return []string{"DBInstanceArn"}
	}
	return []string{"DBClusterArn", "ReadEndpoint.Address"}
}
