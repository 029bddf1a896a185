# The wall clock of the whole machine is set by seconds, hours and ten years, forward and back, and its time zone changes,
# in the middle of everything a pair does. Nothing may come of it but other times on the display. Tell it in a machine of
# its own: go run ./cmd/hbsim guest --story FILE
# An emulated machine stops for a moment now and then, and its client with it: so it sleeps, and then looks who serves.
config interval 100ms
config multiplier 15
# Emulation misses samples that come every few milliseconds.
config prove 100ms
config failback auto
config wait-to-restore 12s
config start-time 1500ms
config stop-time 1s
config dwell 8s
start
expect reachable alpha within 60s
expect reachable bravo within 60s
run alpha arm
run bravo arm
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s

say The owner serves and the standby listens
clock +87600h
sleep 3s
expect owner alpha within 10s
clock -87600h
sleep 3s
expect owner alpha within 10s
clock -87600h
sleep 3s
expect owner alpha within 10s
clock +87600h
sleep 3s
expect owner alpha within 10s
repeat 3
clock +3s
sleep 500ms
clock -3s
sleep 500ms
clock +5h
sleep 500ms
clock -5h
sleep 500ms
clock -100ms
clock +100ms
end
expect linked within 10s
expect standby bravo within 10s
expect no-alarm alpha within 10s
expect no-alarm bravo within 10s
expect alarms alpha 0 for 10ms
expect alarms bravo 0 for 10ms
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms

say Another time zone, with daemons that run on and with new ones
zone Asia/Kathmandu
sleep 2s
expect owner alpha within 10s
run bravo status
zone Pacific/Chatham
clock +87600h
kill-daemon alpha
zone America/St_Johns
expect reachable alpha within 60s
expect linked within 60s
sleep 2s
expect owner alpha within 10s
kill-daemon bravo
zone UTC
clock -87600h
expect reachable bravo within 60s
expect linked within 60s
expect standby bravo within 60s
sleep 2s
expect owner alpha within 10s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
run alpha events
run alpha status

say A daemon starts on what was written ten years from now
clock +87600h
run bravo restart
expect linked within 60s
expect standby bravo within 10s
clock -175200h
restart-daemon alpha bravo
expect reachable alpha within 10s
expect reachable bravo within 10s
expect linked within 20s
sleep 3s
expect owner alpha within 10s
expect standby bravo within 10s
clock +87600h
sleep 3s
expect owner alpha within 10s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms

say The clock is set while a daemon starts, probes and looks for its peer
restart-daemon alpha bravo
clock -87600h
clock +3h
expect linked within 20s
restart-daemon bravo
clock +87600h
expect linked within 20s
run alpha restart --no-wait
clock -3h
expect linked within 20s
sleep 2s
expect owner alpha within 10s
expect standby bravo within 10s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms

say A host boots into another year
clock +87600h
reset bravo
clock -175200h
expect standby bravo within 20s
expect linked within 20s
clock +87600h
sleep 2s
expect owner alpha within 10s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms

say The clock is set between the last pulse and the verdict, and between the coil and the proof
hold-up alpha 500ms
freeze alpha
clock +87600h
expect told bravo cut within 10s
clock -87600h
expect told bravo proven-off within 10s
# And while the service starts.
clock +87600h
clock -87600h
expect owner bravo within 10s
# The dwell runs: power stays off for all of it, and comes back at its end.
clock +87600h
expect dark alpha for 1s
clock -87600h
expect dark alpha for 1s
expect powered alpha within 20s
hold-up alpha 5ms

say Wait-to-restore: neither cut short nor made longer
expect standby alpha within 30s
expect linked within 30s
clock +87600h
sleep 4s
expect owner bravo within 10s
clock -87600h
sleep 4s
expect owner bravo within 10s
expect owner alpha within 25s
expect standby bravo within 10s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms

say The clock is set while the service moves
run alpha switchover web --no-wait
clock +87600h
expect told alpha stopped within 20s
clock -87600h
expect told bravo owns-now within 20s
clock -3h
expect owner bravo within 20s
clock +3h
expect standby alpha within 20s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
run alpha switchover web
expect owner alpha within 60s

say The owner dies in another year, and is told of in this one
clock +87600h
power-off alpha
expect owner bravo within 20s
expect proof alpha fail-safe within 10s
clock -87600h
run bravo why
run bravo events
power-on alpha
expect standby alpha within 30s
expect linked within 30s
expect owner alpha within 40s
never two-owners
stop

say A question that waits for a person waits through the years
config takeover approve
config approval-time 8s
config failback manual
config start-time 0s
config stop-time 0s
config dwell 300ms
start
expect reachable alpha within 60s
expect reachable bravo within 60s
run alpha arm
run bravo arm
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s
power-off alpha
expect asks bravo within 10s
expect told bravo question within 10s
clock +87600h
sleep 2s
expect asks bravo within 10s
kill-daemon bravo
clock -87600h
expect asks bravo within 10s
sleep 2s
expect no-owner for 10ms
expect not-fenced alpha for 10ms

say An approval is good for its time: not shorter
# A daemon that started in the middle does not know whether the other side fires too, and waits a detection time first.
# Until then the approval is not used.
run bravo approve @incident
clock +87600h
expect no-alarm bravo question within 5s
clock -5h
expect owner bravo within 20s
expect proof alpha fail-safe within 10s
clock -87595h
power-on alpha
expect standby alpha within 30s
expect linked within 20s
sleep 2s
expect owner bravo within 10s
never two-owners
stop

say Nor longer
config approval-time 1s
config multiplier 40
start
expect reachable alpha within 60s
expect reachable bravo within 60s
run alpha arm
run bravo arm
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s
power-off alpha
expect asks bravo within 20s
kill-daemon bravo
expect asks bravo within 30s
run bravo approve @incident
clock -87600h
expect told bravo approval-expired within 10s
expect asks bravo within 10s
clock +87600h
sleep 5s
expect asks bravo within 10s
expect no-owner for 10ms
expect not-fenced alpha for 10ms
stop

say Ten years on the wall are no hour of the budget
config takeover auto
config multiplier 15
config moves 1
start
expect reachable alpha within 60s
expect reachable bravo within 60s
run alpha arm
run bravo arm
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s
power-off alpha
expect owner bravo within 20s
power-on alpha
expect standby alpha within 30s
expect linked within 20s
clock +87600h
run bravo failback web
expect owner alpha within 20s
expect standby bravo within 20s
expect linked within 20s
clock +87600h
sleep 1s
power-off alpha
expect locked-out bravo within 20s
clock -175200h
sleep 2s
expect locked-out bravo within 10s
expect no-owner for 10ms
# Nor does a start in another year forget it.
reset bravo
clock +87600h
expect locked-out bravo within 30s
sleep 2s
expect no-owner for 10ms
run bravo why
clock +5h
run bravo clear
expect owner bravo within 20s
clock -5h
run bravo events
run bravo status
never two-owners
