// Package local runs the programs of the blog example as processes of this
// machine, for tests: Build makes a program, Start runs it with the environment
// that a container would have, and Moto, Discovery and XRayDaemon stand for what
// surrounds the container on AWS: SQS, Service Connect and the daemon beside it.
//
// A test that has the environment of the synthesised task definitions, with
// what CloudFormation would have put in place of its references, runs like this:
//
//	local.Build(filepath.Join(blog, "app02"), bin02) // and app01
//	endpoint := local.Moto(t)
//	queue := local.CreateQueue(t, endpoint, "Queue01")
//	app02 := local.Start(t, bin02, env02)
//	app01 := local.Start(t, bin01, env01,          // as synthesised, with QUEUE01 = queue
//		local.Platform(endpoint),              // what ECS itself adds
//		local.Discovery(t, map[string]string{  // what Service Connect does
//			"app02:8080": app02.Address,
//		}))
//	// GET app01.URL, then:
//	messages := local.ReceiveMessages(t, endpoint, queue)
//
// Every function fails the test itself when it cannot do its work.
package local
