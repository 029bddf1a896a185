package config

// The file as it is written: every key there is, and nothing that follows from it. A table that the file leaves out is
// here with its place, so that a finding about a missing key has one. README.md lists the keys; a test compares.

type rawFile struct {
	place
	Cluster rawCluster `toml:"cluster"`
	Timing  rawTiming  `toml:"timing"`
	Limits  rawLimits  `toml:"limits"`
	Log     rawLog     `toml:"log"`
	Node    []rawNode  `toml:"node"`
	Link    []rawLink  `toml:"link"`
	Fence   []rawFence `toml:"fence"`
	Group   []rawGroup `toml:"group"`
}

type rawCluster struct {
	place
	Name                   text  `toml:"name"`
	KeyFile                text  `toml:"key_file"`
	KeyFiles               list  `toml:"key_files"`
	StateDir               text  `toml:"state_dir"`
	RunDir                 text  `toml:"run_dir"`
	Takeover               text  `toml:"takeover"`
	OnLastLink             text  `toml:"on_last_link"`
	Split                  text  `toml:"split"`
	FenceWhenDeaf          truth `toml:"fence_when_deaf"`
	WithdrawSurvivesReboot truth `toml:"withdraw_survives_reboot"`
}

type rawTiming struct {
	place
	Interval         span   `toml:"interval"`
	DetectMultiplier number `toml:"detect_multiplier"`
	LateMultiplier   number `toml:"late_multiplier"`
	NoiseStretch     factor `toml:"noise_stretch"`
	StartWindow      span   `toml:"start_window"`
	FenceDelay       span   `toml:"fence_delay"`
	MoveTimeout      span   `toml:"move_timeout"`
	Backoff          span   `toml:"backoff"`
	ApprovalTimeout  span   `toml:"approval_timeout"`
	DoubtTimeout     span   `toml:"doubt_timeout"`
	FenceRetries     number `toml:"fence_retries"`
	FenceRetry       span   `toml:"fence_retry"`
	WaitToRestore    span   `toml:"wait_to_restore"`
	Farewell         span   `toml:"farewell"`
	Quiet            span   `toml:"quiet"`
	HealthEvery      span   `toml:"health_every"`
}

type rawLimits struct {
	place
	Window span   `toml:"window"`
	Moves  number `toml:"moves"`
	Fences number `toml:"fences"`
}

type rawLog struct {
	place
	Level  text `toml:"level"`
	Format text `toml:"format"`
}

type rawNode struct {
	place
	Name text `toml:"name"`
}

type rawLink struct {
	place
	Name text   `toml:"name"`
	Kind text   `toml:"kind"`
	Baud number `toml:"baud"`
	Ends ends   `toml:",rest"` // by node name
}

type rawFence struct {
	place
	Target              text   `toml:"target"`
	By                  list   `toml:"by"`
	Level               number `toml:"level"`
	Device              text   `toml:"device"`
	Line                wires  `toml:"line"`
	Cut                 text   `toml:"cut"`
	EnergisedBy         text   `toml:"energised_by"`
	LineKeepsState      truth  `toml:"line_keeps_state"`
	AcceptDoubtfulLines truth  `toml:"accept_doubtful_lines"`
	Sense               wires  `toml:"sense"`
	SenseOff            text   `toml:"sense_off"`
	SenseBias           text   `toml:"sense_bias"`
	SenseSide           text   `toml:"sense_side"`
	FailSafe            truth  `toml:"fail_safe"`
	Mirror              wires  `toml:"mirror"`
	MirrorOpen          text   `toml:"mirror_open"`
	MirrorBias          text   `toml:"mirror_bias"`
	Proof               text   `toml:"proof"`
	Settle              span   `toml:"settle"`
	Sample              span   `toml:"sample"`
	Window              span   `toml:"window"`
	HoldUp              span   `toml:"hold_up"`
	HoldUpMeasured      truth  `toml:"hold_up_measured"`
	HoldOff             span   `toml:"hold_off"`
	VerifyTimeout       span   `toml:"verify_timeout"`
	Agent               text   `toml:"agent"`
	Options             table  `toml:"options"`
	OptionsFile         text   `toml:"options_file"`
	OffTimeout          span   `toml:"off_timeout"`
	OnTimeout           span   `toml:"on_timeout"`
	StatusTimeout       span   `toml:"status_timeout"`
	MonitorTimeout      span   `toml:"monitor_timeout"`
	PowerTimeout        span   `toml:"power_timeout"`
	Poll                span   `toml:"poll"`
	Mode                text   `toml:"mode"`
	Dwell               span   `toml:"dwell"`
}

type rawGroup struct {
	place
	Name     text          `toml:"name"`
	Prefer   list          `toml:"prefer"`
	Failback text          `toml:"failback"`
	Resource []rawResource `toml:"resource"`
}

type rawResource struct {
	place
	Kind          text   `toml:"kind"`
	Name          text   `toml:"name"`
	Start         list   `toml:"start"`
	Stop          list   `toml:"stop"`
	Status        list   `toml:"status"`
	StartTimeout  span   `toml:"start_timeout"`
	StopTimeout   span   `toml:"stop_timeout"`
	StatusTimeout span   `toml:"status_timeout"`
	Address       text   `toml:"address"`
	Interface     cards  `toml:"interface"`
	ProbeWait     span   `toml:"probe_wait"`
	Announcements number `toml:"announcements"`
	Spacing       span   `toml:"spacing"`
	Refresh       span   `toml:"refresh"`
	Timeout       span   `toml:"timeout"`
}
