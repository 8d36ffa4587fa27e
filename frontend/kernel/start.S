/*
 * Entry points: PVH (arch-x86/hvm/start_info.h: 32 bits, flat, EBX = start info), which is also
 * how Xen's domain builder enters a firmware_override and how our boot sector enters; and
 * the trampoline of other vcpus.
 */
#define CODE64 0x08
#define DATA   0x10
#define CODE32 0x18

	.section .note.xen, "a", @note
	.balign 4
	.long 4, 4, 18          /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start32
	.long 4, 4, 14          /* XEN_ELFNOTE_SUSPEND_CANCEL */
	.asciz "Xen"
	.long 1

	.section .text.start, "ax"
	.code32
	.globl start32
start32:
	cld
	cli
	movl %ebx, %ebp
	lgdt gdt_pointer
	ljmp $CODE32, $1f
1:	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $__bss_start, %edi
	movl $__bss_end, %ecx
	subl %edi, %ecx
	shrl $2, %ecx
	xorl %eax, %eax
	rep stosl

	/* Identity for 4 GiB in pages of 2 MiB. */
	movl $pdpt + 3, pml4
	movl $pd + 3, pdpt
	movl $pd + 0x1003, pdpt + 8
	movl $pd + 0x2003, pdpt + 16
	movl $pd + 0x3003, pdpt + 24
	movl $pd, %edi
	movl $0x83, %eax
	movl $2048, %ecx
2:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 2b
	movl $boot_stack_end, %esp
	movl $main64, %edi
	jmp long_mode

/* To 64 bits and to EDI; ESP and EBP are kept. */
long_mode:
	movl $0x20, %eax        /* PAE */
	movl %eax, %cr4
	movl $pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx  /* EFER */
	rdmsr
	orl $0x100, %eax        /* LME */
	wrmsr
	movl $0x80010001, %eax  /* PG, WP, PE */
	movl %eax, %cr0
	ljmp $CODE64, $1f
	.code64
1:	movl %edi, %edi
	jmp *%rdi

main64:
	movl %ebp, %edi
	xorl %ebp, %ebp
	call kernel_main
3:	hlt
	jmp 3b

	.code32
ap32:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl ap_stack, %esp
	movl $ap64, %edi
	jmp long_mode
	.code64
ap64:
	xorl %ebp, %ebp
	call smp_ap_main
	jmp 3b

	/* Copied to SMP_TRAMPOLINE. */
	.code16
	.globl trampoline, trampoline_end
trampoline:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl 0x8000 + gdt_pointer_low - trampoline
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $CODE32, $ap32
gdt_pointer_low:
	.word gdt_end - gdt - 1
	.long gdt
trampoline_end:

	.section .data
	.balign 8
gdt:
	.quad 0
	.quad 0x00af9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00cf9b000000ffff
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
	.globl ap_stack
	.balign 8
ap_stack:
	.quad 0

	.section .bss
	.balign 4096
pml4:	.skip 4096
pdpt:	.skip 4096
pd:	.skip 4 * 4096
	.globl boot_stack_end
boot_stack:
	.skip 32768
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
