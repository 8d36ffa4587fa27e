/*
 * The boot sector of a disk image: the kernel's flat image follows from sector 1 on. Makes a PVH
 * start info with the BIOS's memory map, so that the kernel knows one way of being entered.
 */
#ifndef SECTORS
#error "SECTORS is the size of the kernel's image in sectors"
#endif
#define LOAD       0x10000  /* where the BIOS reads it to */
#define KERNEL     0x100000
#define START_INFO 0x6000
#define MEMMAP     0x6100   /* entries of 24 bytes */
#define CHUNK      64       /* sectors a call */

	.code16
	.globl _start
_start:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $0x7c00, %sp
	cld
	movb %dl, drive
	sti

	movw $SECTORS, %bp
1:	movw $CHUNK, %ax
	cmpw %ax, %bp
	ja 2f
	movw %bp, %ax
2:	movw %ax, packet + 2
	movw $packet, %si
	movb drive, %dl
	movb $0x42, %ah
	int $0x13
	jc failed
	movw packet + 2, %ax
	subw %ax, %bp
	addw %ax, packet + 8
	shlw $5, %ax            /* sectors to paragraphs */
	addw %ax, packet + 6
	testw %bp, %bp
	jnz 1b

	movw $START_INFO, %di
	movw $0x300, %cx
	xorw %ax, %ax
	rep stosw
	movl $0x336ec578, START_INFO
	movl $1, START_INFO + 4
	movl $MEMMAP, START_INFO + 40
	movw $MEMMAP, %di
	xorl %ebx, %ebx
3:	movl $0xe820, %eax
	movl $20, %ecx
	movl $0x534d4150, %edx
	int $0x15
	jc 4f
	addw $24, %di
	incl START_INFO + 48
	testl %ebx, %ebx
	jz 4f
	cmpl $32, START_INFO + 48
	jb 3b

4:	cli
	lgdtl gdt_pointer
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $0x08, $protected

failed:
	movw $0x0e21, %ax       /* ! */
	int $0x10
5:	hlt
	jmp 5b

	.code32
protected:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $LOAD, %esi
	movl $KERNEL, %edi
	movl $SECTORS * 128, %ecx
	rep movsl
	movl $START_INFO, %ebx
	movl $KERNEL, %eax
	jmp *%eax

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt
packet:
	.byte 16, 0
	.word 0                 /* sectors */
	.word 0, LOAD / 16      /* offset, segment */
	.quad 1                 /* first sector */
drive:
	.byte 0
	.org 510
	.word 0xaa55
	.section .note.GNU-stack, "", @progbits
