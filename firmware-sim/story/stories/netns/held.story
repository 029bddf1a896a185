# The owner dies, and a stranger has the service's addresses: the heir proves the owner off, takes nothing that somebody
# answers for, and says who has it. A person takes it from the stranger, and clears.
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect standby bravo within 20s
expect linked within 20s
say Alpha loses its power while a stranger has the addresses
squat quiet
power-off alpha
expect fenced alpha within 20s
expect told bravo proven-off within 20s
expect alarm bravo web failed here within 20s
expect why bravo held by 02:00:00:00:00:c8 on eth0: find that machine within 1s
expect no-address for 500ms
expect no-owner for 500ms
expect unanswered for 100ms
say Clearing does not help as long as the stranger is there
run bravo clear
expect why bravo held by 02:00:00:00:00:c8 within 20s
expect no-address for 500ms
expect no-owner for 500ms
say The stranger is found, and bravo takes over
unsquat
run bravo clear
expect owner bravo within 20s
expect address bravo within 1s
expect believed bravo for 300ms
power-on alpha
expect standby alpha within 20s
expect linked within 20s
expect owner bravo for 300ms
never two-owners
