package config

// Till is what `ofd till` can be told: flags, names in the environment that begin
// with OFD_TILL_, and the table [till]. Its letters are those of [mail].
type Till struct {
	Data        string `toml:"data" env:"DATA" type:"path" default:"till-data" placeholder:"DIR" help:"Folder of its database."`
	Addr        Addr   `toml:"addr" env:"ADDR" default:":8090" help:"Where sellers open it."`
	OpsAddr     Addr   `toml:"ops_addr" name:"ops-addr" env:"OPS_ADDR" default:"127.0.0.1:9091" help:"Metrics, health and profiles; keep it from the public. off closes it."`
	TLSCert     string `toml:"tls_cert" name:"tls-cert" env:"TLS_CERT" type:"path" placeholder:"FILE" help:"Certificate chain, PEM; with it and its key all is over TLS."`
	TLSKey      string `toml:"tls_key" name:"tls-key" env:"TLS_KEY" type:"path" placeholder:"FILE" help:"Private key of that certificate, PEM."`
	Secure      bool   `toml:"secure" env:"SECURE" help:"People reach it over TLS alone: something in front of it takes that off."`
	Operator    string `toml:"operator" env:"OPERATOR" default:"localhost:7777" placeholder:"HOST:PORT" help:"Where the operator takes what registers send."`
	OperatorTLS bool   `toml:"operator_tls" name:"operator-tls" env:"OPERATOR_TLS" help:"Speak TLS with the operator."`
	OperatorURL Site   `toml:"operator_url" name:"operator-url" env:"OPERATOR_URL" default:"http://localhost:8080" help:"The operator's site: where buyers check receipts."`
}
