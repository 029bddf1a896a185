# A quiet restart in the middle of a start, a stop or a takeover is refused with the reason, and nothing is lost by asking.
config multiplier 15
config start-time 1s
config stop-time 1s
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say while the service stops here
sleep 500ms
run bravo switchover web --no-wait
sleep 300ms
refused alpha restart
expect owner bravo within 10s
expect not-fenced alpha for 10ms
say while the service starts here
sleep 500ms
run alpha switchover web --no-wait
expect told alpha owns-now within 10s
refused alpha restart
expect owner alpha within 10s
expect standby bravo within 5s
say while a fence runs
slow RELAY_ALPHA 500ms
freeze alpha
expect told bravo cut within 5s
refused bravo restart
expect owner bravo within 10s
slow RELAY_ALPHA 8ms
expect standby alpha within 10s
expect linked within 5s
say when nothing moves it is not refused
run bravo restart
expect linked within 5s
expect owner bravo for 1s
expect not-fenced alpha for 10ms
expect not-fenced bravo for 10ms
