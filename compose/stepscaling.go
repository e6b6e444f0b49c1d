package compose

// stepScaling reads Scaling of a Services entry.
func (r *resolver) stepScaling(res *Resource, path Path, value any) *StepScaling {
	if !res.Schema.Scalable {
		r.Errorf(path, "key-unknown", "a service cannot scale on %s", res.Key)
		return nil
	}
	var form struct {
		Steps                             []struct{ LowerBound, UpperBound, Count *int }
		ScaleInCooldown, ScaleOutCooldown int
	}
	form.ScaleInCooldown, form.ScaleOutCooldown = scaleInCooldown, scaleOutCooldown
	if !r.decode(path, value, &form) {
		return nil
	}
	if len(form.Steps) == 0 {
		r.Errorf(path, "scaling-steps", "Scaling needs at least one step: {LowerBound, UpperBound, Count}")
		return nil
	}
	s := &StepScaling{ScaleInCooldown: form.ScaleInCooldown, ScaleOutCooldown: form.ScaleOutCooldown}
	for i, step := range form.Steps {
		if step.LowerBound == nil || step.Count == nil || *step.LowerBound < 0 || *step.Count < 0 {
			r.Errorf(path.Key("Steps").Index(i), "scaling-steps", "a step needs LowerBound and Count, none of them negative")
			return nil
		}
		s.Steps = append(s.Steps, Step{Lower: *step.LowerBound, Upper: step.UpperBound, Count: *step.Count})
	}
	r.checkSteps(path.Key("Steps"), s.Steps)
	return s
}

// checkSteps checks that each step begins where the one before it ends.
func (r *resolver) checkSteps(path Path, steps []Step) {
	for i, step := range steps {
		at := path.Index(i)
		last := i == len(steps)-1
		switch {
		case step.Upper != nil && *step.Upper <= step.Lower:
			r.Errorf(at, "scaling-steps", "UpperBound %d must be above LowerBound %d", *step.Upper, step.Lower)
		case !last && (step.Upper == nil || *step.Upper != steps[i+1].Lower):
			r.Errorf(at, "scaling-steps", "steps must follow one another: UpperBound must be the next LowerBound, %d", steps[i+1].Lower)
		}
	}
}
