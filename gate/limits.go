package gate

// limits are quotas of CloudFormation and of the services.
var limits = []Rule{
	{
		ID: "too-many-resources", Says: "a stack has at most 500 resources",
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
		check: func(a *Assembly, found *report) {
			for _, s := range a.Stacks {
				if n := len(s.Resources); n > 500 {
					found.stack(s, "the template has %d resources, and CloudFormation takes 500", n)
				}
			}
		},
	},
}
