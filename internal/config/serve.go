package config

import "slices"

// Serve holds what `ofd serve` can be told. Each field is one name in three
// forms: --kkm-addr, OFD_KKM_ADDR and kkm_addr in the file.
type Serve struct {
	Data           string  `toml:"data" env:"OFD_DATA" type:"path" default:"ofd-data" placeholder:"DIR" help:"Folder of the embedded database."`
	DB             DB      `toml:"db" env:"OFD_DB" placeholder:"URL" help:"Database server instead of the embedded one, postgres://…"`
	KKMAddr        Addr    `toml:"kkm_addr" name:"kkm-addr" env:"OFD_KKM_ADDR" default:":7777" help:"Where registers of Kazakhstan connect; off closes the door."`
	KKMTLSAddr     Addr    `toml:"kkm_tls_addr" name:"kkm-tls-addr" env:"OFD_KKM_TLS_ADDR" help:"The same over TLS; needs a certificate and its key."`
	KKTAddr        Addr    `toml:"kkt_addr" name:"kkt-addr" env:"OFD_KKT_ADDR" placeholder:":7778" help:"Where registers of Russia connect; needs --kkt-crypto."`
	KKTCrypto      Crypto  `toml:"kkt_crypto" name:"kkt-crypto" env:"OFD_KKT_CRYPTO" placeholder:"NAME" help:"Keys of fiscal drives: sim1, public test keys for simulated drives; or none, no sign is checked: for registers under development."`
	Marking        Marking `toml:"marking" env:"OFD_MARKING" placeholder:"table[:FILE]|URL" help:"Marking system behind --kkt-addr: its address, or table, a stand-in in this process that knows every code, or what FILE says of them. Without it marked goods get no answer."`
	HTTPAddr       Addr    `toml:"http_addr" name:"http-addr" env:"OFD_HTTP_ADDR" default:":8080" help:"Pages, among them the buyer's check."`
	OpsAddr        Addr    `toml:"ops_addr" name:"ops-addr" env:"OFD_OPS_ADDR" default:"127.0.0.1:9090" help:"Metrics, health and profiles; keep it from the public."`
	TLSCert        string  `toml:"tls_cert" name:"tls-cert" env:"OFD_TLS_CERT" type:"path" placeholder:"FILE" help:"Certificate chain of the TLS door, PEM."`
	TLSKey         string  `toml:"tls_key" name:"tls-key" env:"OFD_TLS_KEY" type:"path" placeholder:"FILE" help:"Private key of that certificate, PEM."`
	ClientCA       string  `toml:"client_ca" name:"client-ca" env:"OFD_CLIENT_CA" type:"path" placeholder:"FILE" help:"Registers at the TLS door must show a certificate of these authorities."`
	KeyFile        string  `toml:"key_file" name:"key-file" env:"OFD_KEY_FILE" type:"path" placeholder:"FILE" help:"Master key that seals the others; master.key in the data folder, made at the first start."`
	Cache          Size    `toml:"cache" env:"OFD_CACHE" default:"256MiB" help:"Memory for the states of registers."`
	Site           Site    `toml:"site" env:"OFD_SITE" placeholder:"URL" help:"Address of our pages as buyers reach them; it stands in QR codes."`
	Parts          []Part  `toml:"parts" env:"OFD_PARTS" default:"gate,web,followers" help:"What this process does: gate, web, followers."`
	MarkingCert    string  `toml:"marking_cert" name:"marking-cert" env:"OFD_MARKING_CERT" type:"path" placeholder:"FILE" help:"Our certificate for a marking system across the network, PEM."`
	MarkingKey     string  `toml:"marking_key" name:"marking-key" env:"OFD_MARKING_KEY" type:"path" placeholder:"FILE" help:"Private key of that certificate, PEM."`
	MarkingCA      string  `toml:"marking_ca" name:"marking-ca" env:"OFD_MARKING_CA" type:"path" placeholder:"FILE" help:"Whose certificates of the marking system are believed, PEM; without it the machine's own."`
	KGD            Far     `toml:"kgd" embed:"" prefix:"kgd-" envprefix:"OFD_KGD_" set:"far=Kazakhstan's tax authority"`
	FNS            Far     `toml:"fns" embed:"" prefix:"fns-" envprefix:"OFD_FNS_" set:"far=Russia's tax service"`
	FNSDir         string  `toml:"fns_dir" name:"fns-dir" env:"OFD_FNS_DIR" type:"path" placeholder:"DIR" help:"Folder where documents for Russia's tax service are written, instead of --fns-url."`
	TrustedProxies []Proxy `toml:"trusted_proxies" name:"trusted-proxies" env:"OFD_TRUSTED_PROXIES" placeholder:"NET,…" help:"Whose X-Forwarded-For is believed."`
}

// Does reports whether this process does a part; by default it does all.
func (s *Serve) Does(p Part) bool { return len(s.Parts) == 0 || slices.Contains(s.Parts, p) }
