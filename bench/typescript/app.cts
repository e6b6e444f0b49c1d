// The program that make bench compares with: what Compose CDK builds from the compose
// file of the bench, written by hand with the AWS CDK for TypeScript. Node.js runs it
// as it stands.
//
//   node app.cts SERVICES OUTDIR

const cdk: typeof import('aws-cdk-lib') = require('aws-cdk-lib');
const ec2: typeof import('aws-cdk-lib/aws-ec2') = require('aws-cdk-lib/aws-ec2');
const ecs: typeof import('aws-cdk-lib/aws-ecs') = require('aws-cdk-lib/aws-ecs');
const iam: typeof import('aws-cdk-lib/aws-iam') = require('aws-cdk-lib/aws-iam');
const logs: typeof import('aws-cdk-lib/aws-logs') = require('aws-cdk-lib/aws-logs');
const discovery: typeof import('aws-cdk-lib/aws-servicediscovery') = require('aws-cdk-lib/aws-servicediscovery');
const sqs: typeof import('aws-cdk-lib/aws-sqs') = require('aws-cdk-lib/aws-sqs');
const { Construct }: typeof import('constructs') = require('constructs');

const [count, outdir] = [Number(process.argv[2]), process.argv[3]];

// groups keep stacks below 500 resources.
const groups = count > 50 ? 10 : 1;

const app = new cdk.App({ outdir, analyticsReporting: false });
const scope = new Construct(app, 'bench');
const stack = (id: string) => new cdk.Stack(scope, id, { stackName: `bench-${id}` });

const network = stack('Network');
network.node.setContext('aws:cdk:availability-zones:fallback', [0, 1].map((i) => cdk.Fn.select(i, cdk.Fn.getAzs())));
const vpc = new ec2.Vpc(network, 'Vpc', {
  ipAddresses: ec2.IpAddresses.cidr('10.0.0.0/16'), maxAzs: 2, restrictDefaultSecurityGroup: false,
  subnetConfiguration: [
    { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 20, mapPublicIpOnLaunch: false },
    { name: 'App', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 19 },
    { name: 'Storage', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 20 },
  ],
});
const execLogs = new logs.LogGroup(network, 'ExecLogs', { retention: logs.RetentionDays.FOUR_MONTHS });
const cluster = new ecs.CfnCluster(network, 'Cluster', {
  capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
  defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
  clusterSettings: [{ name: 'containerInsights', value: 'enhanced' }],
  configuration: {
    executeCommandConfiguration: {
      logging: 'OVERRIDE',
      logConfiguration: { cloudWatchLogGroupName: execLogs.logGroupName, cloudWatchEncryptionEnabled: false },
    },
  },
});
const imported = ecs.Cluster.fromClusterAttributes(network, 'Imported', { clusterName: cluster.ref, vpc });
const namespace = new discovery.PrivateDnsNamespace(network, 'Namespace', { name: 'bench.internal', vpc });

const inGroups = (prefix: string) => {
  const stacks: import('aws-cdk-lib').Stack[] = [];
  return (i: number) => (stacks[i % groups] ??= stack(`${prefix}${i % groups}`));
};
const dataStack = inGroups('Data');
// Services in stacks of their own have their security groups in eight stacks before
// all of them, as in docs/decisions/spread.md.
const peers: import('aws-cdk-lib').Stack[] = [];
const peerStack = (i: number) => (peers[i % 8] ??= stack(`Peers${i % 8}`));
const servicesStack = inGroups('Services');

for (let i = 0; i < count; i++) {
  const number = String(i).padStart(3, '0');
  const messages = queue(dataStack(i), `queue${number}`);
  service(servicesStack(i), groups > 1 ? peerStack(i) : undefined, `service${number}`, `QUEUE${number}`, messages);
}

function queue(scope: import('aws-cdk-lib').Stack, name: string) {
  const made = new sqs.Queue(scope, name, { encryption: sqs.QueueEncryption.SQS_MANAGED, enforceSSL: true });
  made.applyRemovalPolicy(cdk.RemovalPolicy.DESTROY);
  return made;
}

function service(
  parent: import('aws-cdk-lib').Stack, peers: import('aws-cdk-lib').Stack | undefined,
  name: string, variable: string, messages: import('aws-cdk-lib/aws-sqs').Queue,
) {
  const scope = new Construct(parent, name);
  const role = (id: string, description: string) => new iam.Role(scope, id, {
    description: `${name}: ${description}`,
    assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': cdk.Aws.ACCOUNT_ID },
        ArnLike: { 'aws:SourceArn': `arn:${cdk.Aws.PARTITION}:ecs:${cdk.Aws.REGION}:${cdk.Aws.ACCOUNT_ID}:*` },
      },
    }),
  });
  const executionRole = role('ExecutionRole', 'what ECS may do to start the containers');
  const taskRole = role('TaskRole', 'what the application may do');
  const logGroup = new logs.LogGroup(scope, 'LogGroup', { retention: logs.RetentionDays.ONE_MONTH });
  executionRole.addToPrincipalPolicy(new iam.PolicyStatement({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn],
  }));
  taskRole.addToPrincipalPolicy(new iam.PolicyStatement({
    actions: [
      'sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl', 'sqs:ReceiveMessage', 'sqs:SendMessage',
    ],
    resources: [messages.queueArn],
  }));
  const driver = (prefix: string) => new ecs.GenericLogDriver({
    logDriver: 'awslogs',
    options: { 'awslogs-group': logGroup.logGroupName, 'awslogs-region': cdk.Aws.REGION, 'awslogs-stream-prefix': prefix },
  });
  const task = new ecs.FargateTaskDefinition(scope, 'Task', {
    cpu: 256, memoryLimitMiB: 512, taskRole, executionRole: executionRole.withoutPolicyUpdates(),
    runtimePlatform: { cpuArchitecture: ecs.CpuArchitecture.X86_64, operatingSystemFamily: ecs.OperatingSystemFamily.LINUX },
  });
  task.addContainer(name, {
    containerName: name, image: ecs.ContainerImage.fromRegistry('public.ecr.aws/nginx/nginx:1.27'),
    cpu: 256, memoryLimitMiB: 512, environment: { [variable]: messages.queueUrl }, logging: driver(name),
    portMappings: [{ containerPort: 8080, name: `${name}-8080-tcp`, protocol: ecs.Protocol.TCP }],
  });
  const group = new ec2.SecurityGroup(peers ? new Construct(peers, name) : scope, 'SecurityGroup', { vpc, description: `tasks of ${name}`, allowAllOutbound: true });
  const made = new ecs.FargateService(scope, 'Service', {
    cluster: imported, taskDefinition: task, securityGroups: [group], desiredCount: 1,
    vpcSubnets: { subnetGroupName: 'App' }, assignPublicIp: false,
    capacityProviderStrategies: [{ capacityProvider: 'FARGATE', weight: 1 }],
    minHealthyPercent: 100, maxHealthyPercent: 200, circuitBreaker: { enable: true, rollback: true },
    platformVersion: ecs.FargatePlatformVersion.LATEST, propagateTags: ecs.PropagatedTagSource.SERVICE, enableECSManagedTags: true,
    serviceConnectConfiguration: {
      namespace: namespace.namespaceArn, logDriver: driver('service-connect'),
      services: [{ portMappingName: `${name}-8080-tcp`, discoveryName: `${name}-8080`, dnsName: name, port: 8080 }],
    },
  });
  made.node.addDependency(executionRole);
}

app.synth();
