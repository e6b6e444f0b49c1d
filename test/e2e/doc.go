// Package e2e deploys for real, to an emulator on this machine: the CDK CLI as it
// is, the program as it is, and AWS as moto and the folder emulator know it. Its
// tests need the build tag e2e; `make e2e` runs them.
package e2e
