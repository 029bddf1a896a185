# The built-in story with a pulse every 1s, silent after 3 of them.
config interval 1s
config multiplier 3
# The story of `serialhb lab`: two real nodes, a cable, a network, two relays and two power senses, all on this machine.
# "expect" is checked by witnesses outside the nodes: the ledger of the services, the board, and a client.

say Both nodes come up, and alpha owns the service
start
expect reachable alpha within 60s
expect reachable bravo within 60s
# A fresh node is disarmed: it drives no relay until a person says that it may.
run alpha arm
run bravo arm
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s
never two-owners

say Alpha loses its mains, and bravo takes over
power-off alpha
expect fenced alpha within 60s
expect owner bravo within 60s
expect proof alpha fail-safe within 60s
expect not-fenced bravo for 200ms

say Alpha gets its power back and boots as the standby
power-on alpha
expect powered alpha within 60s
expect standby alpha within 60s
expect linked within 60s
expect owner bravo for 300ms

say A person moves the service back, nobody is cut
run bravo failback web
expect owner alpha within 60s
expect not-fenced alpha for 200ms
expect not-fenced bravo for 200ms
expect standby bravo within 60s

say Alpha hangs with its power on, and only the relay can prove it off
freeze alpha
expect fenced alpha within 60s
expect owner bravo within 60s
expect proof alpha fail-safe within 60s
# Power is given back after the dwell: alpha comes up as the standby.
expect powered alpha within 60s
expect standby alpha within 60s
expect linked within 60s
run bravo failback web
expect owner alpha within 60s
expect standby bravo within 60s

say Both lose their power, and it comes back in the other order
power-off alpha bravo
expect dark alpha within 60s
expect dark bravo within 60s
expect no-owner for 100ms
power-on bravo
power-on alpha
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s

say Both lose their power, and bravo returns alone: its fail-safe sense of alpha lets it start by itself
power-off alpha bravo
expect dark alpha within 60s
expect dark bravo within 60s
power-on bravo
expect owner bravo within 60s
expect proof alpha fail-safe within 60s
power-on alpha
expect standby alpha within 60s
expect linked within 60s

say The cable is pulled: no failover, but a clear alarm
cut-cable
expect link-down bravo cable within 60s
expect alarm bravo cable within 60s
expect alarm alpha cable within 60s
expect owner bravo for 500ms
expect not-fenced alpha for 100ms
expect not-fenced bravo for 100ms

say Then the network too, with both nodes alive: exactly one is cut
cut-net
expect owner alpha within 60s
expect fences 1 for 1s
never two-owners
mend-cable
mend-net
expect standby bravo within 60s
expect linked within 60s

say A relay is welded: the services stay down, and a person is asked
weld RELAY_ALPHA
freeze alpha
expect blocked bravo within 60s
expect told bravo fence-given-up within 60s
expect alarm bravo confirm-off within 60s
expect unanswered for 300ms
refused bravo confirm-off alpha --yes
# The person goes there, pulls the plug, and says so.
power-off alpha
expect dark alpha within 60s
sleep 500ms
run bravo confirm-off alpha --yes
expect owner bravo within 60s
free RELAY_ALPHA
power-on alpha
expect standby alpha within 60s
stop

say A plain sense proves nothing to a node that returns alone: a person confirms
config sense plain
start
expect reachable alpha within 60s
expect reachable bravo within 60s
run alpha arm
run bravo arm
expect owner alpha within 60s
expect standby bravo within 60s
expect linked within 60s
power-off alpha bravo
expect dark alpha within 60s
expect dark bravo within 60s
power-on bravo
expect reachable bravo within 60s
expect why bravo never-seen within 60s
expect no-owner for 500ms
run bravo confirm-off alpha --yes
expect owner bravo within 60s
stop

say Too many moves lock a node out until a person has looked
config sense fail-safe
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
expect owner bravo within 60s
power-on alpha
expect standby alpha within 60s
expect linked within 60s
run bravo failback web
expect owner alpha within 60s
expect standby bravo within 60s
power-off alpha
expect locked-out bravo within 60s
expect no-owner for 500ms
# After the clear an incident that is open becomes a question.
run bravo clear
expect asks bravo within 60s
run bravo approve @incident
expect owner bravo within 60s
never two-owners
