# The relay of alpha is welded, and the fence agent behind it switches the mains: bravo takes over on the agent's word,
# says so, and gives the power back.
config agent on
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 5s
expect standby bravo within 5s
expect linked within 5s
say a welded relay, and the agent behind it
# The first look at the agents, a second after the start, has to have seen them report on.
sleep 2s
expect no-alarm bravo for 300ms
weld RELAY_ALPHA
freeze alpha
expect dark alpha within 15s
expect owner bravo within 15s
expect proof alpha agent within 2s
expect told bravo proven-off within 2s
say the agent gives the power back
expect powered alpha within 10s
free RELAY_ALPHA
expect standby alpha within 10s
expect linked within 5s
run bravo failback web
expect owner alpha within 5s
say with a relay that works nobody asks the agent
freeze alpha
expect fenced alpha within 5s
expect owner bravo within 5s
expect proof alpha fail-safe within 2s
never two-owners
