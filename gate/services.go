package gate

import (
	"fmt"
	"strings"
)

func taskNetwork(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		definition := taskOf(service)
		controller := at(service.Properties, "DeploymentController", "Type")
		if definition == nil || definition.Properties["NetworkMode"] != "awsvpc" || controller == "EXTERNAL" {
			continue
		}
		network := service.Properties["NetworkConfiguration"]
		if network == nil || isMap(at(network, "AwsvpcConfiguration")) && at(network, "AwsvpcConfiguration", "Subnets") == nil {
			found.on(service, "task %s is in network mode awsvpc, and the service names no Subnets in its NetworkConfiguration", definition.LogicalID)
		}
	}
}

func platform(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service", "AWS::ECS::TaskSet") {
		version, _ := service.Properties["PlatformVersion"].(string)
		definition := taskOf(service)
		if definition == nil || strings.HasPrefix(canonical(at(definition.Properties, "RuntimePlatform", "OperatingSystemFamily")), "WINDOWS") {
			continue
		}
		minor, ok := number(strings.TrimSuffix(version, ".0"))
		if ok && minor < 1.4 {
			found.on(service, "it stays on platform version %s, an old one: use LATEST", version)
		}
	}
}

func circuitBreaker(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		controller := at(service.Properties, "DeploymentController", "Type")
		strategy := at(service.Properties, "DeploymentConfiguration", "Strategy")
		if (controller != nil && controller != "ECS") || (strategy != nil && strategy != "ROLLING") {
			continue
		}
		for _, key := range []string{"Enable", "Rollback"} {
			if problem := unset(service.Properties, "DeploymentConfiguration", "DeploymentCircuitBreaker", key); problem != "" {
				found.on(service, "its deployment circuit breaker has %s: a deployment that fails goes on for hours", problem)
				break
			}
		}
	}
}

// unset describes a property that is not true, "" if it is true or known only when deployed.
func unset(v any, steps ...string) string {
	last := steps[len(steps)-1]
	for _, step := range steps {
		v = at(v, step)
		if v == nil {
			return "no " + last
		}
		if _, _, ok := function(v); ok {
			return ""
		}
	}
	if yes(v) {
		return ""
	}
	return fmt.Sprintf("%s: %s", last, canonical(v))
}

func healthGrace(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		if balancers, ok := service.Properties["LoadBalancers"].([]any); !ok || len(balancers) == 0 {
			continue
		}
		grace := service.Properties["HealthCheckGracePeriodSeconds"]
		if n, ok := number(grace); grace == nil || (ok && n <= 0) {
			found.on(service, "it is behind a load balancer and has no HealthCheckGracePeriodSeconds: tasks that start slowly are stopped")
		}
	}
}
