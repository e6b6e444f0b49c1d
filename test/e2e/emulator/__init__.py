"""The AWS of the end-to-end test: moto_server, with a CloudFormation of our own.

moto keeps the services (SQS, ECS, EC2, IAM, ...). Its CloudFormation skips the
types it does not know, drops most properties of those it does, and neither
replaces nor deletes most resources; so the templates are deployed by `engine`,
which makes each resource through moto's service API, as CloudFormation does.
"""
