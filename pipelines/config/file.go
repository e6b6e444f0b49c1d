package config

// file holds pipeline.yaml as written. Its fields have the names of the keys; a test
// compares them with the JSON schema. Nil and empty mean that the file has no value.
type file struct {
	Name           string
	Tooling        fileTooling
	OrganizationID string `key:"OrganizationId"`
	Accounts       map[string]fileAccount
	Connections    map[string]fileConnection
	Compose        fileCompose
	Apps           map[string]fileApp
	Environments   []fileEnvironment
	Triggers       []fileTrigger
	Notifications  []fileNotification
	Logs           struct{ RetentionDays int }

	AllowSelfModify bool
}

type fileTooling struct {
	Account, Region string
	Source          *fileSource
	File            string
	Binary          *fileBinary
}

type fileBinary struct {
	URI    string `key:"Uri"`
	SHA256 string `key:"Sha256"`
}

type fileAccount struct {
	ID                string `key:"Id"`
	OU                string `key:"Ou"`
	Tags              map[string]string
	Roles             *fileRoles
	AvailabilityZones []string
	Regions           map[string]fileRegion
}

type fileRoles struct {
	Type, Qualifier     string
	DeployRoleARN       string `key:"DeployRoleArn"`
	ExecutionRoleARN    string `key:"ExecutionRoleArn"`
	PermissionsBoundary string
}

type fileRegion struct {
	AvailabilityZones  []string
	VPC                *fileExistingVPC `key:"Vpc"`
	Cluster, Namespace string
}

type fileExistingVPC struct {
	ID                                        string `key:"VpcId"`
	AppSubnets, PublicSubnets, StorageSubnets []string
}

type fileConnection struct {
	ARN string `key:"Arn"`
}

type fileCompose struct {
	Source fileSource
	Files  []string
	Images struct{ Path, Handoff string }
}

type fileSource struct {
	CodeCommit *struct{ Repository, Branch string }
	Connection *struct{ Name, Repository, Branch string }
	S3         *struct{ Bucket, Key string }
	Ecr        *struct{ Repository, Tag string }
	Branch     string
}

type fileTrigger struct {
	Push *struct{ Branches, Paths []string }
	Tag  []string
}

type fileApp struct {
	Team, Group, Service string
	Source               fileSource
	Triggers             []fileTrigger
	Repository           fileRepository
	Build                fileBuild
	Scan                 *fileScan
	Sign                 bool
}

type fileRepository struct {
	Name, TagMutability              string
	ScanOnPush                       *bool
	KeepReleases, ExpireUntaggedDays int
}

type fileBuild struct {
	Spec                        string
	Test                        []string
	Context, Dockerfile, Target string
	Args                        map[string]string
	Compute, Image              string
	Privileged                  *bool
	Timeout                     string
}

type fileScan struct{ Critical, High, Medium, Low *int }

type fileEnvironment struct {
	Name, Type string
	Target     *fileTarget
	Targets    []fileTarget
	Wave       struct {
		Size int
		Bake *fileBake
	}
	Isolation     string
	VPC           fileVPC `key:"Vpc"`
	Cluster       struct{ Use string }
	Namespace     struct{ Use string }
	Configuration string
	ComposeFiles  []string
	Tags          map[string]string
	Triggers      []fileTrigger
	Tests         []fileTest
	Teardown      *fileTeardown
	Approval      *fileApproval
	ChangeSet     string
	OnFailure     string

	TerminationProtection *bool
}

type fileTarget struct {
	Account  string
	Accounts *fileSelector
	Regions  []string
}

type fileSelector struct {
	Tags    map[string]string
	OU      string `key:"Ou"`
	Exclude []string
}

type fileBake struct {
	Alarms []string
	For    string
}

type fileVPC struct {
	Create *fileNewVPC
	Use    *fileUsedVPC
}

type fileNewVPC struct {
	CIDR        string `key:"Cidr"`
	NATGateways *int   `key:"NatGateways"`
}

type fileUsedVPC struct {
	ID                                        string `key:"VpcId"`
	AppSubnets, PublicSubnets, StorageSubnets []string
	FromAccount                               bool
}

type fileTest struct {
	Name, Spec string
	Commands   []string
	Env        map[string]string
	Timeout    string
}

type fileTeardown struct {
	OnSuccess   string
	OnFailure   struct{ KeepFor string }
	MaxLifetime string
}

type fileApproval struct {
	Required          *bool
	Comment           string
	URL               string `key:"Url"`
	Timeout           string
	SkipWhenUnchanged bool
}

type fileNotification struct {
	Email  string
	Slack  *struct{ WorkspaceId, ChannelId string } //nolint:revive // the file's own spelling
	Events []string
}
