package compose

func (l *loading) checkConsistency(p *Project) {}
