package compose

import (
	"slices"
	"strings"
)

// clusterSection is x-cluster. Lookup is a name, or a mapping with ClusterName.
type clusterSection struct {
	Properties      Fragment
	MacroParameters clusterParameters
	Lookup          any
	// Use is an old spelling of Lookup.
	Use any
}

// clusterParameters are the parts of the cluster that are no property of it.
type clusterParameters struct {
	CreateExecLoggingLogGroup *bool
	LogGroupRetentionInDays   int
	CreateExecLoggingBucket   bool
	CreateExecLoggingKmsKey   bool
	// AllowKmsKeyReuse is always so: the sessions and their logs have one key.
	AllowKmsKeyReuse *bool
}

// execLogRetention is ComposeX's own default, in days.
const execLogRetention = 120

// cluster reads x-cluster, or x-aws-cluster, the name or ARN of an existing one,
// which wins.
func (r *resolver) cluster() {
	value, path, ok := r.extension("x-cluster")
	r.model.Cluster = Cluster{Path: path, ExecLogRetentionDays: execLogRetention}
	if name, docker, isSet := r.extension("x-aws-cluster"); isSet {
		if ok {
			r.Warnf(path, "cluster-twice", "x-cluster is ignored, as the file has x-aws-cluster")
		}
		r.model.Cluster.Path = docker
		r.existingCluster(docker, name)
		return
	}
	var section clusterSection
	if !ok || !r.decode(path, value, &section) {
		return
	}
	lookup := path.Key("Lookup")
	if section.Use != nil {
		r.Deprecated(path.Key("Use"), "Use", "Lookup")
		lookup, section.Lookup = path.Key("Use"), section.Use
	}
	switch {
	case section.Lookup == nil:
		r.newCluster(path, section)
	case section.Properties != nil:
		r.Errorf(path, "cluster-mode", "Properties make a new cluster and Lookup uses an existing one: give one of them")
	default:
		r.existingCluster(lookup, section.Lookup)
	}
}

func (r *resolver) newCluster(path Path, section clusterSection) {
	c := &r.model.Cluster
	c.Properties = section.Properties
	p := section.MacroParameters
	at := path.Key("MacroParameters")
	c.ExecKMSKey = p.CreateExecLoggingKmsKey
	c.ExecBucket = p.CreateExecLoggingBucket
	if days := p.LogGroupRetentionInDays; days != 0 {
		c.ExecLogRetentionDays = r.retentionDays(at.Key("LogGroupRetentionInDays"), days)
	}
	if p.CreateExecLoggingLogGroup != nil && !*p.CreateExecLoggingLogGroup {
		r.Notef(at.Key("CreateExecLoggingLogGroup"), "cluster-exec-logs", "the sessions of ECS Exec are logged all the same; "+
			"set Properties.Configuration.ExecuteCommandConfiguration to change that")
	}
	if p.AllowKmsKeyReuse != nil && !*p.AllowKmsKeyReuse {
		r.Notef(at.Key("AllowKmsKeyReuse"), "cluster-exec-key", "the sessions of ECS Exec and their logs share one key")
	}
	r.clusterProviders(path.Key("Properties").Key("CapacityProviders"))
}

// clusterProviders warns of a cluster that cannot run on Fargate, which is all
// that services here do.
func (r *resolver) clusterProviders(path Path) {
	var providers []string
	value, ok := r.model.Cluster.Properties["CapacityProviders"]
	if !ok || !r.decode(path, value, &providers) {
		return
	}
	for _, f := range r.model.Families {
		for _, p := range f.CapacityProviders {
			if !slices.Contains(providers, p.Name) {
				r.Errorf(path, "cluster-providers", "family %q runs on %s, which the cluster does not have", f.Name, p.Name)
			}
		}
	}
}

// existingCluster reads the name, the ARN, or a mapping with ClusterName.
func (r *resolver) existingCluster(path Path, value any) {
	var by struct {
		ClusterName string
		RoleArn     any
	}
	if _, isMap := value.(map[string]any); isMap {
		if !r.decode(path, value, &by) {
			return
		}
		r.ignoredRole(path.Key("RoleArn"), by.RoleArn)
		path = path.Key("ClusterName")
	} else if !r.decode(path, value, &by.ClusterName) {
		return
	}
	if by.ClusterName == "" {
		r.Errorf(path, "cluster-name", "an existing cluster is found by its name: it is empty")
		return
	}
	name := by.ClusterName
	if strings.HasPrefix(name, "arn:") {
		_, name, _ = strings.Cut(name, ":cluster/")
		if name == "" {
			r.Errorf(path, "cluster-name", "%q is not the ARN of a cluster", by.ClusterName)
			return
		}
	}
	r.model.Cluster.Existing = name
}
