// Package ingress builds the load balancers of an application: the entries of x-elbv2
// and those that services share by x-ingress. It opens exactly the ways that the
// model names: sources to listeners, and a load balancer to the ports of its
// targets. All of it, also the rules on the security groups of the families,
// stands in the scope of the load balancer, so that a family knows nothing of
// who sends requests to it.
package ingress
