# The first relay is welded, the second level cuts; with both welded a person is asked.
config level2 on
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
weld RELAY_ALPHA
freeze alpha
expect owner bravo within 10s
expect fenced alpha within 1s
free RELAY_ALPHA
expect standby alpha within 10s
expect linked within 5s
run bravo failback web
expect owner alpha within 5s
expect standby bravo within 5s
say both levels are welded
weld RELAY_ALPHA
weld RELAY2_ALPHA
freeze alpha
expect blocked bravo within 20s
expect told bravo fence-given-up within 20s
expect unanswered for 200ms
refused bravo confirm-off alpha --yes
thaw alpha
expect owner alpha within 5s
expect standby bravo within 10s
expect linked within 5s
free RELAY_ALPHA
free RELAY2_ALPHA
expect no-alarm bravo within 10s
