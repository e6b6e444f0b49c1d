package service

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsefs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/network"
)

// nfs is the port of a file system's mount targets.
const nfs = 2049

// Volume is a named volume in an EFS file system. Its access point keeps those
// who mount it inside its own folder.
type Volume struct {
	model                 *compose.Volume
	fileSystem, arn       cfn.Value
	accessPoint, pointARN cfn.Value
	securityGroup         cfn.Value
	external              bool
}

// VolumeProps are what a volume needs from the stacks around it.
type VolumeProps struct {
	Volume  *compose.Volume
	Network *network.Network
	// Resolve resolves references in the properties of the file system.
	Resolve cfn.Resolver
	// Ephemeral says that nothing in this environment is worth keeping.
	Ephemeral bool
}

// NewVolume creates an encrypted file system with backups for a volume, which
// outlives its stack unless the environment is ephemeral, or uses the existing
// one; and the access point to the volume's folder. The security group of an
// existing file system is not known: it must admit the tasks by itself.
func NewVolume(scope constructs.Construct, id string, props *VolumeProps) (*Volume, error) {
	this, m := constructs.NewConstruct(scope, &id), props.Volume
	v := &Volume{model: m}
	var fileSystem awsefs.IFileSystem
	if m.External != "" {
		v.external = true
		none := awsec2.SecurityGroup_FromSecurityGroupId(this, jsii.String("SecurityGroup"), jsii.String("sg-unknown"), nil)
		fileSystem = awsefs.FileSystem_FromFileSystemAttributes(this, jsii.String("FileSystem"), &awsefs.FileSystemAttributes{
			FileSystemId: jsii.String(m.External), SecurityGroup: none,
		})
	} else {
		var err error
		if fileSystem, err = v.create(this, props); err != nil {
			return nil, err
		}
	}
	v.fileSystem = cfn.FromToken(fileSystem.FileSystemId())
	v.arn = cfn.FromToken(fileSystem.FileSystemArn())
	acl := &awsefs.Acl{OwnerUid: jsii.String("0"), OwnerGid: jsii.String("0"), Permissions: jsii.String("0777")}
	access := &awsefs.AccessPointProps{FileSystem: fileSystem, Path: jsii.String("/" + m.Name), CreateAcl: acl}
	if m.UID != "" {
		acl.OwnerUid, acl.OwnerGid, acl.Permissions = jsii.String(m.UID), jsii.String(gid(m)), jsii.String("0755")
		access.PosixUser = &awsefs.PosixUser{Uid: jsii.String(m.UID), Gid: jsii.String(gid(m))}
	}
	if m.Permissions != "" {
		acl.Permissions = jsii.String(m.Permissions)
	}
	point := awsefs.NewAccessPoint(this, jsii.String("AccessPoint"), access)
	v.accessPoint, v.pointARN = cfn.FromToken(point.AccessPointId()), cfn.FromToken(point.AccessPointArn())
	return v, nil
}

func gid(m *compose.Volume) string {
	if m.GID == "" {
		return m.UID
	}
	return m.GID
}

func (v *Volume) create(this constructs.Construct, props *VolumeProps) (awsefs.IFileSystem, error) {
	n := props.Network
	group := awsec2.NewSecurityGroup(this, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              n.VPC(),
		Description:      jsii.String(cfn.Description("volume " + v.model.Name)),
		AllowAllOutbound: jsii.Bool(false),
	})
	v.securityGroup = cfn.FromToken(group.SecurityGroupId())
	fileSystem := awsefs.NewFileSystem(this, jsii.String("FileSystem"), &awsefs.FileSystemProps{
		Vpc:                    n.VPC(),
		VpcSubnets:             n.Subnets(compose.StorageSubnets),
		SecurityGroup:          group,
		Encrypted:              jsii.Bool(true),
		EnableAutomaticBackups: jsii.Bool(true),
		LifecyclePolicy:        awsefs.LifecyclePolicy_AFTER_14_DAYS,
		FileSystemPolicy:       onlyEncrypted(),
		// The CDK would deny it by letting everyone write who may mount: then a
		// task that mounts read-only could write. Any policy of its own takes
		// anonymous access from a file system, and leaves the roles to decide.
		AllowAnonymousAccess: jsii.Bool(true),
		RemovalPolicy:        removal(props.Ephemeral),
	})
	resource := fileSystem.Node().DefaultChild().(awscdk.CfnResource)
	for _, name := range sortedKeys(v.model.Properties) {
		value, err := props.Resolve.Tokens(v.model.Properties[name])
		if err != nil {
			return nil, err
		}
		resource.AddPropertyOverride(jsii.String(name), value)
	}
	return fileSystem, nil
}

// onlyEncrypted returns a file system policy that allows nothing, and refuses whoever
// does not encrypt. The roles of the tasks say who may do what.
func onlyEncrypted() awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid:        jsii.String("OnlyEncrypted"),
			Effect:     awsiam.Effect_DENY,
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
			Actions:    jsii.Strings("*"),
			Conditions: &map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
		}),
	}})
}

// addVolumes declares the volumes of the task, and mounts them.
func (f *Family) addVolumes(constructs.Construct) error {
	declared := map[string]bool{}
	for _, c := range f.containers {
		for _, m := range c.model.Mounts {
			if !declared[m.Volume] {
				declared[m.Volume] = true
				if err := f.declareVolume(m); err != nil {
					return err
				}
			}
			c.definition.AddMountPoints(&awsecs.MountPoint{
				SourceVolume: jsii.String(m.Volume), ContainerPath: jsii.String(m.Target), ReadOnly: jsii.Bool(m.ReadOnly),
			})
		}
	}
	return nil
}

func (f *Family) declareVolume(m compose.Mount) error {
	if m.Task {
		f.task.AddVolume(&awsecs.Volume{Name: jsii.String(m.Volume)})
		return nil
	}
	v, ok := f.props.Volumes[m.Volume]
	if !ok {
		return fmt.Errorf("there is no volume %q", m.Volume)
	}
	f.task.AddVolume(&awsecs.Volume{
		Name: jsii.String(m.Volume),
		EfsVolumeConfiguration: &awsecs.EfsVolumeConfiguration{
			FileSystemId:      v.fileSystem.Token(),
			TransitEncryption: jsii.String("ENABLED"),
			AuthorizationConfig: &awsecs.AuthorizationConfig{
				AccessPointId: v.accessPoint.Token(), Iam: jsii.String("ENABLED"),
			},
		},
	})
	actions := []string{"elasticfilesystem:ClientMount"}
	if f.writes(m.Volume) {
		actions = append(actions, "elasticfilesystem:ClientWrite")
		if v.model.UID == "" {
			// As on a Docker host, root in the container is root in the volume.
			actions = append(actions, "elasticfilesystem:ClientRootAccess")
		}
	}
	f.taskRole.Allow("Volume"+m.Volume, Statement{
		Actions:    actions,
		Resources:  []cfn.Value{v.arn},
		Conditions: map[string]any{"StringEquals": map[string]any{"elasticfilesystem:AccessPointArn": v.pointARN.Token()}},
	})
	return nil
}

func (f *Family) writes(volume string) bool {
	for _, c := range f.model.Containers {
		for _, m := range c.Mounts {
			if m.Volume == volume && !m.ReadOnly {
				return true
			}
		}
	}
	return false
}

// openVolumes lets the tasks reach the mount targets of their volumes.
func (f *Family) openVolumes(constructs.Construct) error {
	opened := map[string]bool{}
	for _, c := range f.model.Containers {
		for _, m := range c.Mounts {
			if m.Task || opened[m.Volume] || f.props.Volumes[m.Volume].external {
				continue
			}
			opened[m.Volume] = true
			f.OpenTo("volume "+m.Volume, f.props.Volumes[m.Volume].securityGroup, "tcp", nfs, nfs, f.model.Name+" mounts it")
		}
	}
	return nil
}
